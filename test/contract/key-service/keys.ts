import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type KeyService, KeyServiceError } from '../../../src/core/encryption/key-service.ts';
import { until } from '../../system/until.ts';
import type { KeyServiceDriver, OpenKeyService } from './driver.ts';

const context = { 'aws:ecr:arn': 'arn:aws:ecr:us-east-1:111122223333:repository/some/image', layer: '1' };

/** What every key service does. */
export function describeKeyService({ name, open }: KeyServiceDriver): void {
  describe(`keys of ${name}`, () => {
    let opened: OpenKeyService;
    let keys: KeyService;
    beforeEach(async () => {
      opened = await open();
      keys = opened.keys;
    });
    afterEach(() => opened[Symbol.asyncDispose]());

    it('are found by id, ARN, alias and the ARN of the alias', async () => {
      const arn = await opened.create('alias/some/key');
      const home = `arn:aws:kms:${opened.registry.region}:${opened.registry.accountId}`;
      assert.match(arn, new RegExp(`^${home}:key/[0-9a-f-]{36}$`));
      for (const key of [arn, arn.replace(/^.*\//, ''), 'alias/some/key', `${home}:alias/some/key`]) {
        assert.equal(await keys.resolve(opened.registry, key), arn, key);
      }
    });

    it('are not found where there are none, nor in another region', async () => {
      const arn = await opened.create('alias/here');
      const elsewhere = arn.replace(`:${opened.registry.region}:`, ':eu-central-1:');
      const absent = 'd5aa7bc3-5f0e-4b3a-8f7e-2f3a5a5f9f10';
      for (const key of [absent, arn.replace(/[^/]*$/, absent), 'alias/absent', 'here', elsewhere]) {
        await refusedWith(keys.resolve(opened.registry, key), ['NotFoundException'], key);
      }
      const registry = { ...opened.registry, region: 'eu-central-1' };
      await refusedWith(keys.resolve(registry, arn), ['NotFoundException']);
    });

    it('give data keys that no two uploads share, and open what was encrypted', async () => {
      const arn = await opened.create();
      const [one, two] = [await keys.generateDataKey(arn, context), await keys.generateDataKey(arn, context)];
      assert.equal(one.key.byteLength, 32);
      assert.notDeepEqual(one.key, two.key);
      assert.ok(!Buffer.from(one.wrapped).includes(one.key));
      const another = await opened.another();
      for (const { key, wrapped } of [one, two]) {
        assert.deepEqual(Buffer.from(await keys.decrypt(arn, wrapped, context)), Buffer.from(key));
        assert.deepEqual(Buffer.from(await another.decrypt(arn, wrapped, context)), Buffer.from(key));
      }
    });

    it('bind a data key to its context, whatever the order of that, and to themselves', async () => {
      const arn = await opened.create();
      const { key, wrapped } = await keys.generateDataKey(arn, context);
      const turned = Object.fromEntries(Object.entries(context).reverse());
      assert.deepEqual(Buffer.from(await keys.decrypt(arn, wrapped, turned)), Buffer.from(key));
      const { layer: _, ...fewer } = context;
      for (const other of [{}, fewer, { ...context, layer: '2' }, { ...context, more: '1' }]) {
        await refusedWith(keys.decrypt(arn, wrapped, other), ['InvalidCiphertextException'], JSON.stringify(other));
      }
      const other = await opened.create();
      await refusedWith(keys.decrypt(other, wrapped, context), ['IncorrectKeyException', 'InvalidCiphertextException']);
      const damaged = Buffer.from(wrapped);
      damaged[damaged.length - 1]! ^= 1;
      await refusedWith(keys.decrypt(arn, damaged, context), ['InvalidCiphertextException']);
    });

    it('refuse everything while they are disabled, and work again once enabled', async () => {
      const arn = await opened.create('alias/off');
      const { key, wrapped } = await keys.generateDataKey(arn, context);
      await keys.check(arn);
      await opened.disable(arn);
      await refusesAll(arn, wrapped, 'alias/off', 'DisabledException');
      await opened.enable(arn);
      await until(async () => (await keys.check(arn).catch(() => false)) !== false);
      assert.equal(await keys.resolve(opened.registry, 'alias/off'), arn);
      assert.deepEqual(Buffer.from(await keys.decrypt(arn, wrapped, context)), Buffer.from(key));
    });

    it('refuse everything while they wait for their deletion, and are not there after it', async () => {
      const arn = await opened.create('alias/going');
      const { wrapped } = await keys.generateDataKey(arn, context);
      await opened.scheduleDeletion(arn);
      await refusesAll(arn, wrapped, 'alias/going', 'KMSInvalidStateException');
      await opened.destroy(arn);
      await refusesAll(arn, wrapped, arn, 'NotFoundException');
    });

    async function refusesAll(arn: string, wrapped: Uint8Array, key: string, code: string): Promise<void> {
      await refusedWith(keys.generateDataKey(arn, context), [code]);
      await refusedWith(keys.decrypt(arn, wrapped, context), [code]);
      await refusedWith(keys.resolve(opened.registry, key), [code]);
      await until(async () => (await keys.check(arn).catch(() => 'refused')) === 'refused');
      await refusedWith(keys.check(arn), [code]);
    }
  });
}

export async function refusedWith(call: Promise<unknown>, codes: readonly string[], about?: string): Promise<string> {
  const error = await call.then(
    () => assert.fail(`expected ${codes.join(' or ')}${about === undefined ? '' : ` for ${about}`}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KeyServiceError, String(error));
  assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
  return error.message;
}
