import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectGarbage } from '../../src/core/garbage/collect-garbage.ts';
import { verifyStore } from '../../src/core/garbage/verify-store.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import type { Blob } from '../support/images.ts';
import { blobOf, descriptor, mediaTypes } from '../support/images.ts';
import {
  type CoreUnderTest,
  call,
  coreUnderTest,
  kindOf,
  LEASE_SECONDS,
  pushLayer,
  readLayer,
} from './core-under-test.ts';
import { imageManifest } from './manifests.ts';

const put = ({ images }: CoreUnderTest, manifest: { bytes: Uint8Array }) =>
  images.put(call, { repositoryName: 'one', manifest: manifest.bytes });

const describeAll = ({ images }: CoreUnderTest) =>
  images.describe(call, { repositoryName: 'one', tagStatus: 'ANY', imageStatus: 'ACTIVE', after: '', limit: 100 });

function withUrls(layer: Blob): object {
  return { ...descriptor(mediaTypes.layer, layer), urls: ['https://example.com/layer'] };
}

test('an image is as large as the layers that are there, whatever sizes its manifest claims', async () => {
  await using core = await coreUnderTest();
  const config = await pushLayer(core, 'one', 'config');
  const layers = [await pushLayer(core, 'one', 'first'), await pushLayer(core, 'one', 'second')];
  const claims = layers.map((layer) => ({ ...descriptor(mediaTypes.layer, layer), size: Number.MAX_SAFE_INTEGER }));
  await put(core, imageManifest(config, [], { layers: claims }));
  const { images } = await describeAll(core);
  assert.deepEqual(
    images.map(({ imageBytes }) => imageBytes),
    ['configfirstsecond'.length],
  );
});

test('a layer with URLs that was pushed all the same stays as long as its image', async () => {
  await using core = await coreUnderTest();
  const config = await pushLayer(core, 'one', 'config');
  const layer = await pushLayer(core, 'one', 'base layer');
  const { digest } = await put(core, imageManifest(config, [], { layers: [withUrls(layer)] }));
  core.pass(LEASE_SECONDS + 1);
  await collectGarbage(core.dependencies);
  assert.deepEqual(await readLayer(core, 'one', layer.digest), layer.bytes);
  assert.equal(await kindOf(core.layers.delete(call, { repositoryName: 'one', digest: layer.digest })), 'layer-in-use');
  await core.images.delete(call, { repositoryName: 'one', reference: { digest } });
  core.pass(LEASE_SECONDS + 1);
  await collectGarbage(core.dependencies);
  assert.equal(await readLayer(core, 'one', layer.digest), undefined);
});

test('a layer with URLs that was not pushed is nothing that the store lacks', async () => {
  await using core = await coreUnderTest();
  const config = await pushLayer(core, 'one', 'config');
  const elsewhere = [
    withUrls(blobOf('elsewhere')),
    { mediaType: 'a/b', digest: 'md5:0', size: -1, urls: ['https://b'] },
  ];
  await put(core, imageManifest(config, [], { layers: elsewhere }));
  assert.deepEqual((await verifyStore(core.dependencies)).problems, []);
});

test('a media type that no header can carry is refused', async () => {
  await using core = await coreUnderTest();
  const config = await pushLayer(core, 'one', 'config');
  for (const mediaType of ['text/html\r\nSet-Cookie: a=b', 'a/\u0000', 'application/\u00fc', 'x'.repeat(300), ' a/b']) {
    const layers = [{ ...descriptor(mediaTypes.layer, config), mediaType }];
    for (const hostile of [{ layers }, { artifactType: mediaType }]) {
      assert.equal(await kindOf(put(core, imageManifest(config, [], hostile))), 'manifest-invalid', mediaType);
    }
  }
});

test('a page of referrers ends where their annotations grow large', async () => {
  await using core = await coreUnderTest();
  const config = await pushLayer(core, 'one', 'config');
  const subject = descriptor(mediaTypes.manifest, config);
  const pushed: string[] = [];
  for (let number = 0; number < 25; number++) {
    const annotations = { padding: `${number}`.padEnd(500_000) };
    pushed.push((await put(core, imageManifest(config, [], { subject, annotations }))).digest);
  }
  const listed: string[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page = await core.images.referrers(call, {
      repositoryName: 'one',
      subject: config.digest as Digest,
      imageStatus: 'ACTIVE',
      after,
      limit: 50,
    });
    assert.ok(page.referrers.length <= 10);
    listed.push(...page.referrers.map(({ digest }) => digest));
    after = page.next;
  }
  assert.deepEqual(listed, pushed.sort());
});
