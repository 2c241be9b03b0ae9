import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createUploads } from '../../src/core/layers/upload-pipeline.ts';
import type { UploadAppend, UploadReference } from '../../src/core/layers/uploads.ts';
import type { MetadataStore } from '../../src/core/metadata-store.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { call, kindOf, readLayer, refusalOf, streamInto } from '../core/core-under-test.ts';
import { blobOf, digestOf } from '../support/images.ts';
import { execute, type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { type Node, startNodes } from './postgres-nodes.ts';

const MIB = 1024 * 1024;
const repositoryName = 'one';
/** So short that a writer's silence ends its hold within a test; renewals come four times as often. */
const SHORT = { uploadHoldSeconds: 2 };

describe('an upload that several nodes write to', { skip: withoutPostgres }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server?.[Symbol.asyncDispose]());

  const begin = async ({ repositories, uploads }: Node): Promise<UploadReference> => {
    await repositories.create(call, { repositoryName }).catch(() => {});
    const { uploadId } = await uploads.initiate(call, { repositoryName });
    return { repositoryName, uploadId };
  };
  const sendPart = ({ uploads }: Node, upload: UploadReference, firstByte: number, content: Uint8Array) =>
    uploads.uploadPart(call, {
      ...upload,
      firstByte,
      lastByte: firstByte + content.byteLength - 1,
      chunks: [new Uint8Array(content)],
      bytes: content.byteLength,
    });
  const send = (append: UploadAppend, text: string) => append.write(new Uint8Array(Buffer.from(text)));
  it('takes chunks and parts from each in turn, at once', async () => {
    await using cluster = await startNodes(server);
    const [one, other] = cluster.nodes;
    const upload = await begin(one);
    const texts = ['a', 'bc', 'def', 'g'];
    for (const [index, text] of texts.entries()) {
      await streamInto((index % 2 ? one : other).uploads, upload, Buffer.from(text));
    }
    await other.uploads.finish(call, { ...upload, digest: digestOf('abcdefg') as Digest });
    assert.deepEqual(await readLayer(one, repositoryName, digestOf('abcdefg')), Buffer.from('abcdefg'));

    const inParts = await begin(one);
    const parts = [0, 1, 2, 3].map((index) => Buffer.alloc(5 * MIB, index));
    for (const [index, part] of parts.entries()) {
      await sendPart(index % 2 ? one : other, inParts, index * 5 * MIB, part);
    }
    const { digest } = blobOf(Buffer.concat(parts));
    assert.deepEqual(await one.uploads.complete(call, { ...inParts, digests: [digest] }), { digest });
    assert.equal(await kindOf(other.uploads.status(call, inParts)), 'upload-not-found');
  });

  it('has one of them at a time', async () => {
    await using cluster = await startNodes(server);
    const [one, other] = cluster.nodes;
    const upload = await begin(one);
    const append = await one.uploads.append(call, upload);
    assert.equal(await kindOf(other.uploads.append(call, upload)), 'upload-busy');
    assert.equal(await kindOf(sendPart(other, upload, 0, Buffer.from('x'))), 'upload-busy');
    const digest = digestOf('text') as Digest;
    assert.equal(await kindOf(other.uploads.finish(call, { ...upload, digest })), 'upload-busy');
    assert.equal(await kindOf(other.uploads.cancel(call, upload)), 'upload-busy');
    send(append, 'text');
    assert.deepEqual(await append.close(), { bytes: 4 });
    await other.uploads.finish(call, { ...upload, digest });
  });

  it('is free again after what went wrong with a writer', async () => {
    await using cluster = await startNodes(server);
    const [one, other] = cluster.nodes;
    const upload = await begin(one);
    assert.equal(await kindOf(one.uploads.append(call, { ...upload, firstByte: 3 })), 'layer-part-invalid');
    assert.equal(await kindOf(sendPart(other, upload, 9, Buffer.from('x'))), 'layer-part-invalid');
    await streamInto(one.uploads, upload, Buffer.from('text'));
    const wrong = digestOf('other') as Digest;
    assert.equal(await kindOf(other.uploads.finish(call, { ...upload, digest: wrong })), 'layer-digest-mismatch');
    await one.uploads.cancel(call, upload);
    assert.equal(await kindOf(other.uploads.append(call, upload)), 'upload-not-found');
  });

  it('is not lost by a writer that takes its time', async () => {
    await using cluster = await startNodes(server, SHORT);
    const [one, other] = cluster.nodes;
    const upload = await begin(one);
    const append = await one.uploads.append(call, upload);
    for (const text of 'slow') {
      await sleep(700);
      assert.equal(await kindOf(other.uploads.append(call, upload)), 'upload-busy');
      send(append, text);
    }
    assert.deepEqual(await append.close(), { bytes: 4 });
  });

  it('goes on at another node when its writer is not heard of any more', async () => {
    await using cluster = await startNodes(server, SHORT);
    const [one, other] = cluster.nodes;
    const upload = await begin(one);
    await streamInto(one.uploads, upload, Buffer.from('kept '));
    const { uploads, silence, speak } = silenced(one);
    const append = await uploads.append(call, upload);
    silence();
    const next = await whenFree(other, upload);
    send(next, 'taken');
    await next.close();
    const text = 'kept taken';
    await other.uploads.finish(call, { ...upload, digest: digestOf(text) as Digest });

    // It was not dead, and finds out before it writes.
    assert.throws(() => send(append, 'more'), /is receiving bytes from another request/);
    const closing = kindOf(append.close());
    speak();
    assert.equal(await closing, 'upload-busy');
    assert.deepEqual(await readLayer(one, repositoryName, digestOf(text)), Buffer.from(text));
  });

  it('takes nothing more from a writer whose place another has', async () => {
    await using cluster = await startNodes(server, SHORT);
    const [one, other] = cluster.nodes;
    const upload = await begin(one);
    const append = await one.uploads.append(call, upload);
    await execute(cluster.url, `update uploads set holder = 'third', held_until = ${Date.now() + 60_000}`);
    while (!refused(() => append.write(new Uint8Array()))) await sleep(20);
    assert.equal(await kindOf(append.close()), 'upload-busy');
    assert.equal(
      await kindOf(one.uploads.append(call, upload)),
      'upload-busy',
      'the place is not given up for another',
    );
    await execute(cluster.url, `update uploads set held_until = ${Date.now()}`);
    await streamInto(other.uploads, upload, Buffer.from('right'));
    await other.uploads.finish(call, { ...upload, digest: digestOf('right') as Digest });
  });

  it('counts nothing of what was written by one whose place another has by the end', async () => {
    await using cluster = await startNodes(server);
    const [one] = cluster.nodes;
    const upload = await begin(one);
    const append = await one.uploads.append(call, upload);
    send(append, 'text');
    await execute(cluster.url, `update uploads set holder = 'third', held_until = ${Date.now() + 60_000}`);
    assert.equal(await kindOf(append.close()), 'upload-busy');
    await execute(cluster.url, 'delete from uploads');
    assert.equal(await kindOf(one.uploads.append(call, upload)), 'upload-not-found');
  });

  it('keeps its bytes when one node has sealed them and another records them first', async () => {
    await using cluster = await startNodes(server, SHORT);
    const [one, other] = cluster.nodes;
    const upload = await begin(one);
    await sendPart(one, upload, 0, Buffer.from('text'));
    const digest = digestOf('text') as Digest;
    const { uploads, silence, speak } = silenced(one);
    const sealed = Promise.withResolvers<void>();
    const { blobs } = one.dependencies;
    const seal = blobs.seal.bind(blobs);
    blobs.seal = async (...what) => {
      blobs.seal = seal;
      const location = await seal(...what);
      silence();
      sealed.resolve();
      return location;
    };
    const slow = kindOf(uploads.finish(call, { ...upload, digest }));
    await sealed.promise;
    const finish = () => kindOf(other.uploads.finish(call, { ...upload, digest }));
    let finished = await finish();
    for (; finished === 'upload-busy'; finished = await finish()) await sleep(20);
    assert.equal(finished, 'none');
    speak();
    assert.equal(await slow, 'upload-not-found');
    assert.deepEqual(await readLayer(one, repositoryName, digest), Buffer.from('text'));
  });
});

/** Core on a node whose transactions wait, while it is silent, as those of a process that was stopped. */
function silenced({ dependencies }: Node) {
  const { metadata } = dependencies;
  let silence = Promise.withResolvers<void>();
  silence.resolve();
  const waiting: MetadataStore = {
    ...metadata,
    async transaction(about, work) {
      await silence.promise;
      return metadata.transaction(about, work);
    },
  };
  return {
    uploads: createUploads({ ...dependencies, metadata: waiting }),
    silence: () => {
      silence = Promise.withResolvers();
    },
    speak: () => silence.resolve(),
  };
}

async function whenFree({ uploads }: Node, upload: UploadReference): Promise<UploadAppend> {
  for (;;) {
    const opened = await refusalOf(uploads.append(call, upload));
    if ('value' in opened) return opened.value;
    assert.equal(opened.refusal.kind, 'upload-busy');
    await sleep(20);
  }
}

function refused(write: () => unknown): boolean {
  try {
    write();
    return false;
  } catch (error) {
    assert.match(String(error), /is receiving bytes from another request/);
    return true;
  }
}
