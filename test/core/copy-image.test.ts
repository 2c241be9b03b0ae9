import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Call } from '../../src/core/access/caller.ts';
import { createRepository } from '../../src/core/repositories/create-repository.ts';
import { type CopyStep, copyImage } from '../../src/core/transfer/copy-image.ts';
import { createLocalSource } from '../../src/core/transfer/local-source.ts';
import { createLocalTarget } from '../../src/core/transfer/local-target.ts';
import { createSharedWork } from '../../src/core/transfer/shared-work.ts';
import { type ImageSource, TransferError } from '../../src/core/transfer/transfer.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { blobOf, descriptor, mediaTypes } from '../support/images.ts';
import { type CoreUnderTest, call, coreUnderTest, pushLayer, readLayer, registry } from './core-under-test.ts';
import { imageManifest, indexManifest, pushedImage } from './manifests.ts';

const elsewhere: Call = { ...call, registry: { ...registry, region: 'eu-west-1' } };

async function copying(name = 'one') {
  const core = await coreUnderTest();
  await createRepository(core.dependencies, elsewhere.registry, { repositoryName: name });
  const source = createLocalSource(core.dependencies, call, name);
  const target = createLocalTarget(core.dependencies, elsewhere, name, {
    cause: 'replication',
    replicatedFrom: registry,
  });
  const imageThere = async (reference: string) => {
    const [image] = await core.images.describeMany(elsewhere, {
      repositoryName: name,
      imageIds: [reference.startsWith('sha256:') ? { imageDigest: reference } : { imageTag: reference }],
    });
    return image;
  };
  return { core, source, target, imageThere, [Symbol.asyncDispose]: () => core[Symbol.asyncDispose]() };
}

const digestOfBlob = ({ digest }: { digest: string }) => digest as Digest;

async function pushReferrer(core: CoreUnderTest, subject: { digest: string; bytes: Buffer }, word: string) {
  const layer = await pushLayer(core, 'one', `signature ${word}`);
  const manifest = imageManifest(await pushLayer(core, 'one', '{}'), [layer], {
    subject: descriptor(mediaTypes.manifest, subject as never),
    artifactType: 'application/x-signature',
  });
  await core.images.put(call, { repositoryName: 'one', manifest: manifest.bytes });
  return manifest;
}

describe('copying an image', () => {
  it('takes its layers, its manifest byte for byte, and the tag', async () => {
    await using setup = await copying();
    const { core, source, target, imageThere } = setup;
    const image = await pushedImage(core, 'one', 'a', 'v1');
    const steps: CopyStep[] = [];
    const report = await copyImage(
      source,
      target,
      { reference: 'v1', tag: 'v1' },
      { onProgress: (step) => steps.push(step) },
    );
    assert.deepEqual(report, {
      digest: image.digest,
      isTagged: true,
      manifests: { present: 0, stored: 1 },
      blobs: { present: 0, shared: 0, stored: 2 },
      storedBytes: 'layer a'.length + 'config a'.length,
    });
    assert.deepEqual((await imageThere('v1'))?.digest, image.digest);
    const found = await core.images.getManifest(elsewhere, { repositoryName: 'one', reference: { tag: 'v1' } });
    assert.deepEqual(Buffer.from(found.bytes), image.bytes);
    const layer = await core.layers.open(elsewhere, { repositoryName: 'one', digest: blobOf('layer a').digest });
    await using reader = await layer.read();
    assert.equal(Buffer.from((await reader.next()) ?? []).toString(), 'layer a');
    const sent = steps.reduce((sum, step) => sum + (step.kind === 'bytes' ? step.bytes : 0), 0);
    assert.equal(sent, report.storedBytes);
    const again = await copyImage(source, target, { reference: 'v1', tag: 'v1' });
    assert.deepEqual(again.manifests, { present: 1, stored: 0 });
    assert.deepEqual(again.blobs, { present: 0, shared: 0, stored: 0 });
  });

  it('sends a layer once, into whatever repository', async () => {
    await using setup = await copying();
    const { core, source, target } = setup;
    const shared = await pushLayer(core, 'one', 'shared');
    for (const word of ['a', 'b']) {
      const manifest = imageManifest(await pushLayer(core, 'one', `config ${word}`), [shared]);
      await core.images.put(call, { repositoryName: 'one', manifest: manifest.bytes, tag: word });
    }
    assert.equal((await copyImage(source, target, { reference: 'a' })).blobs.stored, 2);
    assert.deepEqual((await copyImage(source, target, { reference: 'b' })).blobs, { present: 1, shared: 0, stored: 1 });
    await createRepository(core.dependencies, elsewhere.registry, { repositoryName: 'three' });
    const other = createLocalTarget(core.dependencies, elsewhere, 'three');
    assert.deepEqual((await copyImage(source, other, { reference: 'b' })).blobs, { present: 0, shared: 2, stored: 0 });
  });

  it('sends a layer once when many images that share it are copied at once', async () => {
    await using setup = await copying();
    const { core, source } = setup;
    const shared = await pushLayer(core, 'one', 'shared');
    const words = Array.from({ length: 10 }, (_, at) => `w${at}`);
    for (const word of words) {
      const manifest = imageManifest(await pushLayer(core, 'one', `config ${word}`), [shared]);
      await core.images.put(call, { repositoryName: 'one', manifest: manifest.bytes, tag: word });
    }
    const sharedWork = createSharedWork();
    const reports = await Promise.all(
      words.map((word) => {
        const target = createLocalTarget(core.dependencies, elsewhere, 'one', { sharedWork });
        return copyImage(source, target, { reference: word, tag: word });
      }),
    );
    const stored = reports.reduce((sum, { blobs }) => sum + blobs.stored, 0);
    assert.equal(stored, words.length + 1);
  });

  it('takes what an index lists before it and what refers to any of it after it', async () => {
    await using setup = await copying();
    const { core, source, target, imageThere } = setup;
    const child = await pushedImage(core, 'one', 'amd64');
    const other = await pushedImage(core, 'one', 'arm64');
    const index = indexManifest([child, other]);
    await core.images.put(call, { repositoryName: 'one', manifest: index.bytes, tag: 'multi' });
    const signature = await pushReferrer(core, index, 'of the index');
    const ofSignature = await pushReferrer(core, signature, 'of the signature');
    const ofChild = await pushReferrer(core, child, 'of a child');
    const without = await copyImage(source, target, { reference: 'multi', tag: 'multi' });
    assert.deepEqual(without.manifests, { present: 0, stored: 3 });
    // What is there already is no reason to leave its referrers behind.
    const report = await copyImage(source, target, { reference: 'multi', tag: 'multi' }, { withReferrers: true });
    assert.deepEqual(report.manifests, { present: 1, stored: 3 });
    for (const manifest of [child, other, index, signature, ofSignature, ofChild]) {
      assert.equal((await imageThere(manifest.digest))?.digest, manifest.digest);
    }
    assert.deepEqual((await imageThere(child.digest))?.tags, []);
  });

  it('passes over a referrer that goes before its turn comes', async () => {
    await using setup = await copying();
    const { core, source, target, imageThere } = setup;
    const image = await pushedImage(core, 'one', 'a', 'v1');
    const signature = await pushReferrer(core, image, 'of the image');
    const losing: ImageSource = {
      ...source,
      async *referrers(subject) {
        if (subject === image.digest) yield digestOfBlob(blobOf('a signature that is gone'));
        yield* source.referrers(subject);
      },
    };
    const report = await copyImage(losing, target, { reference: 'v1', tag: 'v1' }, { withReferrers: true });
    assert.deepEqual(report.manifests, { present: 0, stored: 2 });
    assert.equal((await imageThere(signature.digest))?.digest, signature.digest);
  });

  it('leaves a tag on the image that holds it for good', async () => {
    await using setup = await copying();
    const { core, source, target, imageThere } = setup;
    const first = await pushedImage(core, 'one', 'a', 'v1');
    await copyImage(source, target, { reference: 'v1', tag: 'v1' });
    await core.repositories.putTagMutability(elsewhere, { repositoryName: 'one', imageTagMutability: 'IMMUTABLE' });
    const second = await pushedImage(core, 'one', 'b', 'v1');
    const report = await copyImage(source, target, { reference: second.digest, tag: 'v1' });
    assert.equal(report.isTagged, false);
    assert.equal((await imageThere('v1'))?.digest, first.digest);
    assert.deepEqual((await imageThere(second.digest))?.tags, []);
  });

  it('brings an archived image back', async () => {
    await using setup = await copying();
    const { core, source, target, imageThere } = setup;
    await pushedImage(core, 'one', 'a', 'v1');
    await copyImage(source, target, { reference: 'v1', tag: 'v1' });
    const imageId = { imageTag: 'v1' };
    await core.images.updateStorageClass(elsewhere, { repositoryName: 'one', imageId, storageClass: 'ARCHIVE' });
    assert.equal((await imageThere('v1'))?.status, 'ARCHIVED');
    await copyImage(source, target, { reference: 'v1', tag: 'v1' });
    assert.equal((await imageThere('v1'))?.status, 'ACTIVE');
  });

  it('stores nothing of a source that lies about a blob, and names it', async () => {
    await using setup = await copying();
    const { core, source, target } = setup;
    const image = await pushedImage(core, 'one', 'a', 'v1');
    const lying: ImageSource = {
      ...source,
      async blob(wanted) {
        const blob = await source.blob(wanted);
        if (!blob || blob.bytes !== 'layer a'.length) return blob;
        const chunks = [Buffer.from('layer b')];
        const reader = { bytes: 7, next: async () => chunks.shift(), recycle() {}, async [Symbol.asyncDispose]() {} };
        return { ...blob, handsOver: true, read: async () => reader };
      },
    };
    await assert.rejects(copyImage(lying, target, { reference: 'v1' }), (error) => {
      assert.ok(error instanceof TransferError);
      assert.equal(error.code, 'invalid');
      assert.match(error.message, new RegExp(blobOf('layer a').digest));
      return true;
    });
    assert.equal(await target.has(image.digest, digestOfBlob(image)), false);
    assert.deepEqual(await Array.fromAsync(core.dependencies.blobs.staged()), []);
    const sealed = await Array.fromAsync(core.dependencies.blobs.list());
    assert.ok(!sealed.some(({ digest }) => digest === blobOf('layer b').digest));
  });

  it('says what the source lacks', async () => {
    await using setup = await copying();
    const { core, source, target } = setup;
    await assert.rejects(copyImage(source, target, { reference: 'v1' }), { code: 'missing', message: /v1/ });
    await pushedImage(core, 'one', 'a', 'v1');
    const without: ImageSource = { ...source, blob: async () => undefined };
    await assert.rejects(copyImage(without, target, { reference: 'v1' }), { code: 'missing', message: /sha256:/ });
  });

  it('ends when it is told to', async () => {
    await using setup = await copying();
    const { core, source, target } = setup;
    await pushedImage(core, 'one', 'a', 'v1');
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error('told to'));
    await assert.rejects(
      copyImage(source, target, { reference: 'v1' }, { signal: stop.signal, onProgress }),
      /told to/,
    );
    assert.deepEqual(await Array.fromAsync(core.dependencies.blobs.staged()), []);
    assert.ok(await readLayer(core, 'one', blobOf('layer a').digest));
  });
});
