import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { type Blob, blobOf, pushBlob } from '../support/images.ts';
import { type KmsWorld, skipKms, startKmsWorld } from './aws-kms-world.ts';
import { gantryOn } from './gantry-command.ts';
import { until } from './until.ts';

describe('layers of repositories under keys', { skip: skipKms }, () => {
  let world: KmsWorld;
  const keys: string[] = [];
  before(async () => {
    if (skipKms !== false) return;
    world = await startKmsWorld();
    keys.push(world.kms.keys.create(), world.kms.keys.create());
    await world.repository('one/a', keys[0]);
    await world.repository('one/b', keys[0]);
    await world.repository('one/twice', keys[0], 'KMS_DSSE');
    await world.repository('two/a', keys[1]);
    await world.ecr.createRepository({ repositoryName: 'plain/a' });
  });
  after(() => world?.[Symbol.asyncDispose]());

  const mount = async (from: string, to: string, { digest }: Blob) =>
    (await http(`${world.server.url}/v2/${to}/blobs/uploads/?mount=${digest}&from=${from}`, { method: 'POST' })).status;
  const pull = (repository: string, { digest }: Blob) => http(`${world.server.url}/v2/${repository}/blobs/${digest}`);

  it('are mounted between repositories of one key and one way of encryption alone', async () => {
    const layer = blobOf(randomBytes(3000));
    assert.equal((await pushBlob(world.server.url, 'one/a', layer)).status, 201);
    for (const to of ['two/a', 'plain/a', 'one/twice']) {
      assert.equal(await mount('one/a', to, layer), 202, to);
      assert.equal((await pull(to, layer)).status, 404, to);
    }
    assert.equal(await mount('one/a', 'one/b', layer), 201);
    assert.ok((await pull('one/b', layer)).body.equals(layer.bytes));
    const plain = blobOf(randomBytes(3000));
    assert.equal((await pushBlob(world.server.url, 'plain/a', plain)).status, 201);
    for (const to of ['one/a', 'two/a', 'one/twice']) assert.equal(await mount('plain/a', to, plain), 202, to);
  });

  it('lie on the disk as other bytes for each key, and stay where they are when those of another key are deleted', async () => {
    const { url, data } = world.server;
    const layer = blobOf(randomBytes(90_000));
    const filesOf = () => globSync(`blobs/sha256/*/${layer.digest.replace('sha256:', '')}.*`, { cwd: data });
    const places = ['one/a', 'one/twice', 'two/a', 'plain/a'];
    for (const repository of places) assert.equal((await pushBlob(url, repository, layer)).status, 201, repository);
    const kept = filesOf().map((file) => readFileSync(join(data, file)));
    assert.equal(kept.length, places.length);
    assert.equal(kept.filter((bytes) => bytes.equals(layer.bytes)).length, 1, 'the plain ones');
    assert.equal(new Set(kept.map(({ length }) => length)).size, 2, 'others are longer by what seals them');
    assert.equal(new Set(kept.map((bytes) => bytes.toString('base64'))).size, places.length);
    for (const [index, repository] of places.entries()) {
      const deleted = await http(`${url}/v2/${repository}/blobs/${layer.digest}`, { method: 'DELETE' });
      assert.equal(deleted.status, 202, repository);
      await gantryOn(data)('garbage');
      assert.equal(filesOf().length, places.length - 1 - index);
      for (const other of places.slice(index + 1))
        assert.ok((await pull(other, layer)).body.equals(layer.bytes), other);
    }
  });

  it('are kept once for each key, and fall with theirs alone', async () => {
    const layer = blobOf(randomBytes(90_000));
    for (const repository of ['one/a', 'one/b', 'one/twice', 'two/a', 'plain/a']) {
      assert.equal((await pushBlob(world.server.url, repository, layer)).status, 201, repository);
      assert.ok((await pull(repository, layer)).body.equals(layer.bytes), repository);
    }
    world.kms.keys.setState(keys[0]!, 'Disabled');
    await until(async () => (await pull('one/a', layer)).status !== 200);
    for (const repository of ['one/a', 'one/b', 'one/twice']) {
      assert.equal((await pull(repository, layer)).status, 400, repository);
    }
    for (const repository of ['two/a', 'plain/a']) {
      assert.ok((await pull(repository, layer)).body.equals(layer.bytes), repository);
    }
  });
});
