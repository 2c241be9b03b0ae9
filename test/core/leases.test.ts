import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectGarbage } from '../../src/core/garbage/collect-garbage.ts';
import type { MetadataStore } from '../../src/core/metadata-store.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import {
  type CoreUnderTest,
  call,
  coreUnderTest,
  LEASE_SECONDS,
  ORPHAN_SECONDS,
  partsOver,
  pushLayer,
  readLayer,
  stage,
  UPLOAD_IDLE_SECONDS,
} from './core-under-test.ts';
import { pushedImage } from './manifests.ts';

async function isKept(core: CoreUnderTest, digest: string, repositoryName = 'one'): Promise<boolean> {
  await collectGarbage(core.dependencies);
  const { dependencies } = core;
  const repository = await core.repositories.get(call, repositoryName);
  return (await dependencies.metadata.read.layers.find(repository.id, digest as Digest)) !== undefined;
}

async function blobCount({ dependencies }: CoreUnderTest): Promise<number> {
  return (await Array.fromAsync(dependencies.blobs.list())).length;
}

test('a layer that no image uses stays until its lease is over, and its bytes go with it', async () => {
  await using core = await coreUnderTest();
  const { digest } = await pushLayer(core, 'one', 'unused');
  core.pass(LEASE_SECONDS);
  assert.equal(await isKept(core, digest), true);
  core.pass(0.001);
  assert.equal(await isKept(core, digest), false);
  assert.equal(await blobCount(core), 0);
});

const tellings: Record<string, (core: CoreUnderTest, digest: string) => Promise<unknown>> = {
  HEAD: (core, digest) => core.layers.open(call, { repositoryName: 'one', digest }),
  BatchCheckLayerAvailability: (core, digest) =>
    core.layers.checkAvailability(call, { repositoryName: 'one', digests: [digest] }),
  'a second push': (core) => pushLayer(core, 'one', 'unused'),
};
for (const [name, tell] of Object.entries(tellings)) {
  test(`who is told by ${name} that a layer is there finds it for at least half a lease`, async () => {
    await using core = await coreUnderTest();
    const { digest } = await pushLayer(core, 'one', 'unused');
    for (const waited of [LEASE_SECONDS, LEASE_SECONDS / 2, LEASE_SECONDS * 0.9, LEASE_SECONDS / 2]) {
      core.pass(waited);
      if (waited > LEASE_SECONDS / 2) await tell(core, digest);
      assert.equal(await isKept(core, digest), true, `after ${waited} s more`);
    }
    core.pass(LEASE_SECONDS + 1);
    assert.equal(await isKept(core, digest), false);
  });
}

test('telling writes at most once in half a lease, and never of a layer that an image uses', async () => {
  await using core = await coreUnderTest();
  const { digest } = await pushLayer(core, 'one', 'unused');
  const used = await pushedImage(core, 'one', 'used');
  const { config } = JSON.parse(used.bytes.toString());
  let writes = 0;
  const { metadata } = core.dependencies;
  const counting: MetadataStore = {
    ...metadata,
    transaction(about, work) {
      writes++;
      return metadata.transaction(about, work);
    },
  };
  const { layers } = partsOver({ ...core.dependencies, metadata: counting });
  const told = async (seconds: number) => {
    core.pass(seconds);
    for (let count = 0; count < 10; count++) {
      await layers.open(call, { repositoryName: 'one', digest });
      await layers.checkAvailability(call, { repositoryName: 'one', digests: [digest, config.digest] });
    }
    return writes;
  };
  assert.equal(await told(0), 0);
  assert.equal(await told(LEASE_SECONDS / 2), 0);
  assert.equal(await told(1), 1);
  assert.equal(await told(LEASE_SECONDS / 2), 1);
  assert.equal(await told(1), 2);
});

test('the layers of an image need no lease; deleting the image begins one', async () => {
  await using core = await coreUnderTest();
  const { bytes, digest } = await pushedImage(core, 'one', 'a', 'latest');
  const layer: string = JSON.parse(bytes.toString()).layers[0].digest;
  core.pass(100 * LEASE_SECONDS);
  assert.equal(await isKept(core, layer), true);
  await core.images.deleteMany(call, { repositoryName: 'one', imageIds: [{ imageDigest: digest }] });
  core.pass(LEASE_SECONDS);
  assert.equal(await isKept(core, layer), true);
  core.pass(1);
  assert.equal(await isKept(core, layer), false);
});

test('a layer that another image still uses stays', async () => {
  await using core = await coreUnderTest();
  const first = await pushedImage(core, 'one', 'a');
  const layer: string = JSON.parse(first.bytes.toString()).layers[0].digest;
  const second = Buffer.from(first.bytes.toString().replace('{', '{ '));
  const { digest } = await core.images.put(call, { repositoryName: 'one', manifest: second });
  await core.images.delete(call, { repositoryName: 'one', reference: { digest: first.digest } });
  core.pass(LEASE_SECONDS + 1);
  assert.equal(await isKept(core, layer), true);
  await core.images.delete(call, { repositoryName: 'one', reference: { digest } });
  core.pass(LEASE_SECONDS + 1);
  assert.equal(await isKept(core, layer), false);
});

test('bytes shared by two repositories stay until both have let go of them', async () => {
  await using core = await coreUnderTest();
  const { digest } = await pushLayer(core, 'one', 'shared');
  core.pass(LEASE_SECONDS - 10);
  assert.equal(await core.uploads.mount(call, { repositoryName: 'two', from: 'one', digest: digest as Digest }), true);
  assert.equal(await blobCount(core), 1);
  core.pass(11);
  assert.equal(await isKept(core, digest, 'one'), false);
  assert.deepEqual(await readLayer(core, 'two', digest), Buffer.from('shared'));
  core.pass(LEASE_SECONDS);
  assert.equal(await isKept(core, digest, 'two'), false);
  assert.equal(await blobCount(core), 0);
});

test('an upload without bytes for long is forgotten with what it had; one that takes bytes is not', async () => {
  await using core = await coreUnderTest();
  const { uploads, dependencies } = core;
  const idle = await stage(core, 'one', Buffer.from('idle'));
  const streaming = await stage(core, 'one', Buffer.from('first'));
  core.pass(UPLOAD_IDLE_SECONDS - 1);
  const append = await uploads.append(call, streaming);
  core.pass(2);
  append.write(new Uint8Array(Buffer.from(' second')));
  assert.equal((await collectGarbage(dependencies)).uploads, 1);
  await append.close();
  assert.deepEqual(await uploads.status(call, streaming), { bytes: 12 });
  await assert.rejects(uploads.status(call, idle), /does not exist/);
  assert.deepEqual(
    (await Array.fromAsync(dependencies.blobs.staged())).map(({ bytes }) => bytes),
    [12],
  );
});

test('bytes that no record names are taken once they are old', async () => {
  await using core = await coreUnderTest();
  const { blobs } = core.dependencies;
  const [staged, sealed] = [crypto.randomUUID(), crypto.randomUUID()];
  for (const id of [staged, sealed]) (await blobs.appender(id, 0)).write(new Uint8Array(3));
  await blobs.seal(sealed, await blobs.digest(sealed, 'sha256'), 3);
  core.pass(ORPHAN_SECONDS);
  assert.equal((await collectGarbage(core.dependencies)).orphans, 0);
  core.pass(1);
  const { orphans, bytes } = await collectGarbage(core.dependencies);
  assert.deepEqual({ orphans, bytes }, { orphans: 2, bytes: 6 });
  assert.equal((await Array.fromAsync(blobs.staged())).length + (await blobCount(core)), 0);
});

test('a run ends early when it is told to; what it did stays done, and what it began is ended by another', async () => {
  await using core = await coreUnderTest();
  for (const word of ['unused', 'too']) await pushLayer(core, 'one', word);
  core.pass(LEASE_SECONDS + 1);
  const stop = new AbortController();
  const onProgress = ({ blobs }: { blobs: number }) => blobs === 1 && stop.abort();
  const run = collectGarbage(core.dependencies, { signal: stop.signal, onProgress });
  await assert.rejects(run, { name: 'AbortError' });
  assert.equal(await blobCount(core), 0);
  const nothing = { uploads: 0, layers: 0, blobs: 0, bytes: 0, orphans: 0, records: 0 };
  assert.deepEqual(await collectGarbage(core.dependencies), nothing);
});
