import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { verifyStore } from '../../src/core/garbage/verify-store.ts';
import type { UploadReference } from '../../src/core/layers/uploads.ts';
import type { MetadataStore } from '../../src/core/metadata-store.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { blobOf, digestOf } from '../support/images.ts';
import {
  type CoreParts,
  type CoreUnderTest,
  call,
  coreUnderTest,
  kindOf,
  partsOver,
  pushLayer,
  readLayer,
  refusalOf,
  stage,
  streamInto,
} from './core-under-test.ts';

const MIB = 1024 * 1024;

async function begin({ uploads }: CoreParts, repositoryName = 'one'): Promise<UploadReference> {
  const { uploadId, partBytes } = await uploads.initiate(call, { repositoryName });
  assert.equal(partBytes, 10 * MIB);
  return { repositoryName, uploadId };
}

function sendPart({ uploads }: CoreParts, upload: UploadReference, firstByte: number, content: Uint8Array) {
  const lastByte = firstByte + content.byteLength - 1;
  const part = { firstByte, lastByte, chunks: [new Uint8Array(content)], bytes: content.byteLength };
  return uploads.uploadPart(call, { ...upload, ...part });
}

async function blobCount({ dependencies }: CoreUnderTest): Promise<number> {
  return (await Array.fromAsync(dependencies.blobs.list())).length;
}

test('parts become a layer, and the upload is over then', async () => {
  await using core = await coreUnderTest();
  const upload = await begin(core);
  const [first, second] = [Buffer.alloc(5 * MIB, 1), Buffer.alloc(10, 2)];
  const { digest } = blobOf(Buffer.concat([first, second]));
  assert.deepEqual(await sendPart(core, upload, 0, first), { lastByteReceived: 5 * MIB - 1 });
  assert.deepEqual(await sendPart(core, upload, 5 * MIB, second), { lastByteReceived: 5 * MIB + 9 });
  assert.deepEqual(await core.uploads.status(call, upload), { bytes: 5 * MIB + 10 });
  assert.deepEqual(await core.uploads.complete(call, { ...upload, digests: [digest] }), { digest });
  assert.equal((await readLayer(core, 'one', digest))?.length, 5 * MIB + 10);
  assert.equal(await kindOf(core.uploads.complete(call, { ...upload, digests: [digest] })), 'upload-not-found');
});

test('a gap or an overlap is refused with the last byte that counts, and nothing of it stays', async () => {
  await using core = await coreUnderTest();
  const upload = await begin(core);
  await sendPart(core, upload, 0, Buffer.alloc(5 * MIB));
  for (const firstByte of [0, 5 * MIB - 1, 5 * MIB + 1]) {
    const outcome = await refusalOf(sendPart(core, upload, firstByte, Buffer.from('x')));
    assert.ok('refusal' in outcome && outcome.refusal.kind === 'layer-part-invalid');
    assert.equal(outcome.refusal.lastValidByteReceived, 5 * MIB - 1);
  }
  assert.deepEqual(await core.uploads.status(call, upload), { bytes: 5 * MIB });
  await sendPart(core, upload, 5 * MIB, Buffer.from('x'));
});

test('completion checks in this order: empty, part too small, digest, there already', async () => {
  await using core = await coreUnderTest();
  const { uploads } = core;
  const empty = await begin(core);
  const wrong = [`sha256:${'0'.repeat(64)}`];
  assert.equal(await kindOf(uploads.complete(call, { ...empty, digests: wrong })), 'upload-empty');

  await sendPart(core, empty, 0, Buffer.from('small'));
  await sendPart(core, empty, 5, Buffer.from(' parts'));
  assert.equal(await kindOf(uploads.complete(call, { ...empty, digests: wrong })), 'layer-part-too-small');
  const finish = uploads.finish(call, { ...empty, digest: wrong[0] as Digest });
  assert.equal(await kindOf(finish), 'layer-part-too-small');

  const again = await begin(core);
  const { digest } = await pushLayer(core, 'one', 'known');
  await sendPart(core, again, 0, Buffer.from('known'));
  assert.equal(await kindOf(uploads.complete(call, { ...again, digests: wrong })), 'layer-digest-mismatch');
  assert.equal(await kindOf(uploads.complete(call, { ...again, digests: [digest] })), 'layer-already-exists');
  assert.equal(await kindOf(uploads.status(call, again)), 'upload-not-found');
});

test('of several digests one sha256 must be right; others are passed over', async () => {
  await using core = await coreUnderTest();
  const right = digestOf('content');
  const cases: [digests: string[], kind: string][] = [
    [[`sha256:${'0'.repeat(64)}`, right], 'none'],
    [[right.toUpperCase().replace('SHA256', 'sha256')], 'none'],
    [['md5:00', 'sha512:00'], 'none'],
    [[`sha256:${'0'.repeat(64)}`, 'sha512:00'], 'layer-digest-mismatch'],
  ];
  for (const [digests, kind] of cases) {
    const upload = await stage(core, 'one', Buffer.from('content'));
    assert.equal(await kindOf(core.uploads.complete(call, { ...upload, digests })), kind, digests.join());
    await core.layers.delete(call, { repositoryName: 'one', digest: right }).catch(() => {});
  }
});

test('a stream goes on where it ended, and nowhere else', async () => {
  await using core = await coreUnderTest();
  const upload = await stage(core, 'one', Buffer.from('one '));
  assert.deepEqual(await core.uploads.status(call, upload), { bytes: 4 });
  assert.equal(await kindOf(core.uploads.append(call, { ...upload, firstByte: 3 })), 'layer-part-invalid');
  const append = await core.uploads.append(call, { ...upload, firstByte: 4 });
  assert.equal(await kindOf(core.uploads.append(call, upload)), 'upload-busy');
  assert.equal(await kindOf(core.uploads.complete(call, { ...upload, digests: [] })), 'upload-busy');
  assert.equal(await kindOf(core.uploads.cancel(call, upload)), 'upload-busy');
  append.write(new Uint8Array(Buffer.from('two')));
  assert.deepEqual(await append.close(), { bytes: 7 });
  await core.uploads.finish(call, { ...upload, digest: digestOf('one two') as Digest });
  assert.deepEqual(await readLayer(core, 'one', digestOf('one two')), Buffer.from('one two'));
});

test('parts may follow a stream, and a stream parts', async () => {
  await using core = await coreUnderTest();
  const upload = await begin(core);
  const first = Buffer.alloc(5 * MIB, 'a');
  await streamInto(core.uploads, upload, Buffer.from('given up'));
  await sendPart(core, upload, 0, first);
  await streamInto(core.uploads, upload, Buffer.from('streamed'));
  await sendPart(core, upload, 5 * MIB + 8, Buffer.from('last'));
  const digests = [digestOf(Buffer.concat([first, Buffer.from('streamedlast')]))];
  assert.equal(await kindOf(core.uploads.complete(call, { ...upload, digests })), 'none');
});

test('an upload has one writer from before it is looked up', async () => {
  await using core = await coreUnderTest();
  const upload = await begin(core);
  const { metadata } = core.dependencies;
  const looked = Promise.withResolvers<void>();
  const find: typeof metadata.read.uploads.find = async (...which) => {
    const found = await metadata.read.uploads.find(...which);
    await looked.promise;
    return found;
  };
  const read = { ...metadata.read, uploads: { ...metadata.read.uploads, find } };
  const slow = partsOver({ ...core.dependencies, metadata: { ...metadata, read } });
  const opening = slow.uploads.append(call, upload);
  const part = kindOf(sendPart(slow, upload, 0, Buffer.from('part')));
  const unknown = kindOf(sendPart(slow, { ...upload, uploadId: randomUUID() }, 0, Buffer.from('part')));
  looked.resolve();
  assert.deepEqual([await part, await unknown], ['upload-busy', 'upload-not-found']);
  const append = await opening;
  append.write(new Uint8Array(Buffer.from('stream')));
  assert.deepEqual(await append.close(), { bytes: 6 });
  await sendPart(core, upload, 0, Buffer.from('part'));
});

test('the OCI end takes an empty blob, sha512, and a layer that is there', async () => {
  await using core = await coreUnderTest();
  for (const [content, algorithm] of [
    ['', 'sha256'],
    ['x', 'sha512'],
    ['x', 'sha512'],
    ['x', 'sha256'],
  ] as const) {
    const upload = await begin(core);
    if (content !== '') await streamInto(core.uploads, upload, Buffer.from(content));
    const digest = digestOf(content, algorithm) as Digest;
    assert.equal(await kindOf(core.uploads.finish(call, { ...upload, digest })), 'none');
    assert.deepEqual(await readLayer(core, 'one', digest), Buffer.from(content));
  }
  assert.equal(await blobCount(core), 3);
});

for (const [name, crashes] of Object.entries({ once: 1, twice: 2 })) {
  test(`a completion that failed ${name} between sealing and recording succeeds when it is sent again`, async () => {
    await using core = await coreUnderTest();
    const upload = await begin(core);
    await sendPart(core, upload, 0, Buffer.from('a layer'));
    const digests = [digestOf('a layer')];
    for (let count = 0; count < crashes; count++) {
      const { uploads } = partsOver({ ...core.dependencies, metadata: failing(core.dependencies.metadata) });
      await assert.rejects(uploads.complete(call, { ...upload, digests }), /disk on fire/);
      assert.equal(await readLayer(core, 'one', digests[0]!), undefined);
    }
    assert.deepEqual(await core.uploads.complete(call, { ...upload, digests }), { digest: digests[0] });
    assert.deepEqual(await readLayer(core, 'one', digests[0]!), Buffer.from('a layer'));
    assert.deepEqual((await verifyStore(core.dependencies)).problems, []);
    assert.equal(await blobCount(core), 1);
  });
}

test('an OCI push that failed there starts over in the same upload', async () => {
  await using core = await coreUnderTest();
  const upload = await stage(core, 'one', Buffer.from('a layer'));
  const digest = digestOf('a layer') as Digest;
  const { uploads } = partsOver({ ...core.dependencies, metadata: failing(core.dependencies.metadata) });
  await assert.rejects(uploads.finish(call, { ...upload, digest }), /disk on fire/);
  assert.deepEqual(await core.uploads.status(call, upload), { bytes: 0 });
  await streamInto(core.uploads, upload, Buffer.from('a layer'));
  assert.equal(await kindOf(core.uploads.finish(call, { ...upload, digest })), 'none');
  assert.equal(await blobCount(core), 1);
});

test('of two uploads of the same bytes that end at once both succeed and one copy stays', async () => {
  await using core = await coreUnderTest();
  const digest = digestOf('same') as Digest;
  const names = ['one', 'two', 'one'];
  const uploads = await Promise.all(names.map((name) => stage(core, name, Buffer.from('same'))));
  await Promise.all(uploads.map((upload) => core.uploads.finish(call, { ...upload, digest })));
  for (const name of names) assert.deepEqual(await readLayer(core, name, digest), Buffer.from('same'));
  assert.equal(await blobCount(core), 1);
  assert.deepEqual((await verifyStore(core.dependencies)).problems, []);
});

test('a cancelled upload leaves nothing', async () => {
  await using core = await coreUnderTest();
  const upload = await stage(core, 'one', Buffer.from('never mind'));
  await core.uploads.cancel(call, upload);
  assert.equal(await kindOf(core.uploads.status(call, upload)), 'upload-not-found');
  assert.deepEqual(await Array.fromAsync(core.dependencies.blobs.staged()), []);
});

test('an upload belongs to its repository', async () => {
  await using core = await coreUnderTest();
  const { uploadId } = await begin(core, 'one');
  assert.equal(await kindOf(core.uploads.status(call, { repositoryName: 'two', uploadId })), 'upload-not-found');
  assert.equal(await kindOf(core.uploads.status(call, { repositoryName: 'none', uploadId })), 'repository-not-found');
});

test('a mount takes what another repository of the registry has, and nothing else', async () => {
  await using core = await coreUnderTest();
  const digest = (await pushLayer(core, 'one', 'mounted')).digest as Digest;
  const mount = (from: string | undefined, of = digest) =>
    core.uploads.mount(call, { repositoryName: 'two', from, digest: of });
  assert.equal(await mount(undefined), false);
  assert.equal(await mount('three'), false);
  assert.equal(await mount('two'), false);
  assert.equal(await mount('one', digestOf('other') as Digest), false);
  assert.equal(await mount('one'), true);
  assert.deepEqual(await readLayer(core, 'two', digest), Buffer.from('mounted'));
});

/** A store whose transactions fail before anything of them is done. */
function failing(metadata: MetadataStore): MetadataStore {
  return { ...metadata, transaction: () => Promise.reject(new Error('disk on fire')) };
}
