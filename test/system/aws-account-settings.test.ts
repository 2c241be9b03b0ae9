import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { basic, ecrAs, passwordOf, prepareAccess, startEnforcedServer } from '../support/access.ts';
import { http } from '../support/http.ts';
import { blobOf, pushBlob } from '../support/images.ts';
import { startServer } from '../support/server.ts';
import { ecrClient, refused } from './aws-client.ts';

describe('account settings', () => {
  it('have ECR’s names and values, and a default each', async () => {
    await using server = await startServer();
    const ecr = ecrClient(server.url);
    for (const [name, value] of [
      ['BASIC_SCAN_TYPE_VERSION', 'AWS_NATIVE'],
      ['REGISTRY_POLICY_SCOPE', 'V2'],
      ['BLOB_MOUNTING', 'ENABLED'],
    ] as const) {
      const { $metadata: _, ...setting } = await ecr.getAccountSetting({ name });
      assert.deepEqual(setting, { name, value });
      const { $metadata: __, ...put } = await ecr.putAccountSetting({ name, value });
      assert.deepEqual(put, { name, value });
    }
    const names =
      "Invalid parameter at 'name' failed to satisfy constraint: 'Member must satisfy enum value set: [BASIC_SCAN_TYPE_VERSION, BLOB_MOUNTING, REGISTRY_POLICY_SCOPE]'";
    await refused(ecr.getAccountSetting({ name: 'MOUNTING' }), 'InvalidParameterException', names);
    await refused(ecr.putAccountSetting({ name: 'MOUNTING', value: 'ENABLED' }), 'InvalidParameterException', names);
    for (const [name, value, values] of [
      ['BLOB_MOUNTING', 'ON', 'ENABLED, DISABLED'],
      ['BASIC_SCAN_TYPE_VERSION', 'CLAIR', 'AWS_NATIVE'],
      ['REGISTRY_POLICY_SCOPE', 'V1', 'V2'],
    ]) {
      const message = `Invalid parameter at 'value' failed to satisfy constraint: 'Member must satisfy enum value set: [${values}]'`;
      await refused(ecr.putAccountSetting({ name, value }), 'InvalidParameterException', message);
    }
    const long = ecr.getAccountSetting({ name: 'x'.repeat(65) });
    await refused(long, 'InvalidParameterException', /'name'.*less than or equal to 64/);
  });

  it('decide about mounts: off as in ECR where access is enforced, until they say otherwise', async () => {
    await using server = await startEnforcedServer();
    const { root } = prepareAccess(server);
    const ecr = ecrAs(server.url, root);
    const headers = basic(await passwordOf(server.url, root));
    for (const repositoryName of ['source', 'target']) await ecr.createRepository({ repositoryName });
    const blob = blobOf('shared');
    await pushBlob(server.url, 'source', blob, headers);
    const mount = async () => {
      const path = `/v2/target/blobs/uploads/?mount=${blob.digest}&from=source`;
      return (await http(`${server.url}${path}`, { method: 'POST', headers })).status;
    };
    assert.equal((await ecr.getAccountSetting({ name: 'BLOB_MOUNTING' })).value, 'DISABLED');
    assert.equal(await mount(), 202);
    await ecr.putAccountSetting({ name: 'BLOB_MOUNTING', value: 'ENABLED' });
    assert.equal(await mount(), 201);
    await ecr.putAccountSetting({ name: 'BLOB_MOUNTING', value: 'DISABLED' });
    assert.equal(await mount(), 202);
    const kept = await http(`${server.url}/v2/target/blobs/${blob.digest}`, { headers });
    assert.deepEqual(kept.body, blob.bytes);
  });
});
