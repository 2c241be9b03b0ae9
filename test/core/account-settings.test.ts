import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../../src/core/values/digest.ts';
import { call, coreUnderTest, kindOf, pushLayer, refusalOf, registry } from './core-under-test.ts';

const elsewhere = { ...call, registry: { ...registry, region: 'eu-west-1' } };

test('settings have the values ECR has left, and those that were put', async () => {
  await using open = await coreUnderTest();
  await using enforced = await coreUnderTest({ mountsByDefault: false });
  const defaults = { BASIC_SCAN_TYPE_VERSION: 'AWS_NATIVE', REGISTRY_POLICY_SCOPE: 'V2' };
  for (const { accountSettings } of [open, enforced]) {
    for (const [name, value] of Object.entries(defaults)) {
      assert.equal(await accountSettings.get(call, name), value);
      await accountSettings.put(call, { name, value });
      assert.equal(await accountSettings.get(call, name), value);
    }
  }
  assert.equal(await open.accountSettings.get(call, 'BLOB_MOUNTING'), 'ENABLED');
  assert.equal(await enforced.accountSettings.get(call, 'BLOB_MOUNTING'), 'DISABLED');
  await enforced.accountSettings.put(call, { name: 'BLOB_MOUNTING', value: 'ENABLED' });
  assert.equal(await enforced.accountSettings.get(call, 'BLOB_MOUNTING'), 'ENABLED');
  assert.equal(await enforced.accountSettings.get(elsewhere, 'BLOB_MOUNTING'), 'DISABLED');
});

test('names and values that there are not are refused, with those that there are', async () => {
  await using core = await coreUnderTest();
  const { get, put } = core.accountSettings;
  for (const name of ['BLOB_MOUNTS', 'blob_mounting', 'toString']) {
    const outcome = await refusalOf(get(call, name));
    assert.deepEqual('refusal' in outcome && outcome.refusal, {
      kind: 'invalid-parameter',
      parameter: 'name',
      constraint: 'Member must satisfy enum value set: [BASIC_SCAN_TYPE_VERSION, BLOB_MOUNTING, REGISTRY_POLICY_SCOPE]',
    });
    assert.equal(await kindOf(put(call, { name, value: 'ENABLED' })), 'invalid-parameter');
  }
  for (const [name, value, values] of [
    ['BLOB_MOUNTING', 'enabled', 'ENABLED, DISABLED'],
    ['BASIC_SCAN_TYPE_VERSION', 'CLAIR', 'AWS_NATIVE'],
    ['REGISTRY_POLICY_SCOPE', 'V1', 'V2'],
  ] as const) {
    const outcome = await refusalOf(put(call, { name, value }));
    assert.deepEqual('refusal' in outcome && outcome.refusal, {
      kind: 'invalid-parameter',
      parameter: 'value',
      constraint: `Member must satisfy enum value set: [${values}]`,
    });
  }
});

test('layers are mounted while the registry allows it', async () => {
  await using core = await coreUnderTest({ mountsByDefault: false });
  const digest = (await pushLayer(core, 'one', 'shared')).digest as Digest;
  const mount = () => core.uploads.mount(call, { repositoryName: 'two', from: 'one', digest });
  const allow = (value: string, by = call) => core.accountSettings.put(by, { name: 'BLOB_MOUNTING', value });
  assert.equal(await mount(), false);
  await allow('ENABLED', elsewhere);
  assert.equal(await mount(), false);
  await allow('ENABLED');
  assert.equal(await mount(), true);
  await allow('DISABLED');
  assert.equal(await mount(), false);
  const present = await core.layers.open(call, { repositoryName: 'two', digest });
  assert.equal(present.bytes, 6);
});
