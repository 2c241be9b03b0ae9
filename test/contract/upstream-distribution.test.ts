import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { UpstreamCredentials, UpstreamRegistry } from '../../src/core/upstreams/upstream.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { createUpstreamRegistry } from '../../src/drivers/upstreams/upstream-registry.ts';
import { descriptor, mediaTypes, randomImage } from '../support/images.ts';
import { type Distribution, startDistribution, whyNoDistribution } from '../upstreams/distribution.ts';
import { failure } from '../upstreams/hostile-registry.ts';
import { digestFrom, largeSource, sourceOf } from '../upstreams/sources.ts';

describe('distribution with a token service as an upstream', { skip: whyNoDistribution() ?? false }, () => {
  let registry: Distribution;
  let pusher: UpstreamRegistry;
  let anybody: UpstreamRegistry;
  const image = randomImage([100_000, 10]);

  const connect = (credentials?: UpstreamCredentials) =>
    createUpstreamRegistry(
      { url: registry.url, ...(credentials && { credentials }) },
      { allowPrivate: [registry.host, registry.tokenHost] },
    );

  before(async () => {
    registry = await startDistribution();
    pusher = connect(registry.credentials);
    anybody = connect();
  });
  after(async () => {
    await pusher?.[Symbol.asyncDispose]();
    await anybody?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
  });

  it('takes an image and mounts what another repository has', async () => {
    await pusher.ping();
    const { config, layers, manifest, mediaType } = image;
    const content = { content: manifest.bytes, mediaType };
    for (const { bytes } of [config, ...layers])
      assert.equal(await pusher.uploadBlob('a/one', sourceOf(bytes)), 'uploaded');
    assert.equal(await pusher.putManifest('a/one', 'v1', content), manifest.digest);
    for (const { bytes } of [config, ...layers]) {
      assert.equal(await pusher.uploadBlob('a/two', sourceOf(bytes), { mountFrom: 'a/one' }), 'mounted');
    }
    assert.equal(await pusher.putManifest('a/two', 'v1', content), manifest.digest);
    assert.equal(await pusher.mountBlob('a/two', randomImage().config.digest as Digest, 'a/one'), false);
    assert.ok(registry.scopes.includes('repository:a/one:pull,push'));
  });

  it('gives it to anybody, and takes nothing of them', async () => {
    const digest = image.manifest.digest as Digest;
    const manifest = await anybody.getManifest('a/two', 'v1');
    assert.deepEqual(manifest, { digest, mediaType: image.mediaType, content: image.manifest.bytes });
    assert.equal(await anybody.getManifest('a/two', 'v1', { ifNoneMatch: digest }), 'not-modified');
    assert.equal((await anybody.headManifest('a/two', digest))?.bytes, image.manifest.bytes.length);
    const [layer] = image.layers;
    const opened = await anybody.openBlob('a/two', layer?.digest as Digest, { offset: 50_000, expectedBytes: 100_000 });
    assert.equal((await digestFrom(opened)).bytes, 50_000);
    assert.deepEqual(await Array.fromAsync(anybody.listTags('a/two')), ['v1']);
    await assert.rejects(anybody.uploadBlob('a/two', sourceOf(Buffer.from('x'))), failure('denied', /answered 401/));
    await assert.rejects(anybody.getManifest('a/two', 'v2'), failure('not-found', /MANIFEST_UNKNOWN/));
    await using wrong = connect({ username: 'pusher', password: 'wrong' });
    await assert.rejects(wrong.ping(), failure('unauthorized', /no token of .* answered 401/));
  });

  it('lists its tags to anybody, and its repositories to who may see them', async () => {
    const toPut = { content: image.manifest.bytes, mediaType: image.mediaType };
    for (const tag of ['v2', 'v3']) await pusher.putManifest('a/one', tag, toPut);
    assert.deepEqual(await Array.fromAsync(pusher.listTags('a/one')), ['v1', 'v2', 'v3']);
    await assert.rejects(Array.fromAsync(anybody.listRepositories()), failure('denied', /answered 401/));
    assert.deepEqual(await Array.fromAsync(pusher.listRepositories()), ['a/one', 'a/two']);
  });

  it('has no referrers API, but the tag that stands for it', async () => {
    const subject = image.manifest.digest as Digest;
    assert.deepEqual(await Array.fromAsync(anybody.referrers('a/one', subject)), []);
    const entry = descriptor(image.mediaType, image.manifest);
    const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [entry] };
    const content = { content: Buffer.from(JSON.stringify(index)), mediaType: mediaTypes.index };
    await pusher.putManifest('a/one', subject.replace(':', '-'), content);
    assert.deepEqual(await Array.fromAsync(anybody.referrers('a/one', subject)), [entry]);
  });

  it('takes and gives 64 MB byte for byte', async () => {
    const source = largeSource();
    assert.equal(await pusher.uploadBlob('a/large', source), 'uploaded');
    const { digest, bytes } = await digestFrom(await pusher.openBlob('a/large', source.digest));
    assert.deepEqual([digest, bytes], [source.digest, source.bytes]);
  });
});
