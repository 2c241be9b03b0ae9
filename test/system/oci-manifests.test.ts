import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { http } from '../support/http.ts';
import {
  type Blob,
  blobOf,
  descriptor,
  digestOf,
  mediaTypes,
  pushBlob,
  pushImage,
  pushManifest,
  randomImage,
} from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { assertOciError, assertStatus } from './oci-answers.ts';

const repository = 'team/app';
const mebibyte = 1024 * 1024;

describe('manifests over /v2/', () => {
  let server: RunningServer;
  const at = (reference: string) => `${server.url}/v2/${repository}/manifests/${reference}`;
  const get = (reference: string, headers = {}) => http(at(reference), { headers });
  const push = (reference: string, manifest: Blob, mediaType: string = mediaTypes.manifest) =>
    pushManifest(server.url, repository, reference, manifest, mediaType);

  before(async () => {
    server = await startServer();
    await pushImage(server.url, repository, 'latest', randomImage());
  });
  after(() => server[Symbol.asyncDispose]());

  it('come back byte for byte, by tag and by digest', async () => {
    const image = randomImage();
    // Blanks that no serialiser would write have to survive.
    const manifest = blobOf(`${JSON.stringify(JSON.parse(image.manifest.bytes.toString()), null, 3)}\n\n`);
    for (const blob of [image.config, ...image.layers]) await pushBlob(server.url, repository, blob);
    const pushed = await push('v1', manifest);
    assertStatus(pushed, 201);
    assert.equal(pushed.headers.location, `/v2/${repository}/manifests/${manifest.digest}`);
    assert.equal(pushed.headers['docker-content-digest'], manifest.digest);
    assert.equal(pushed.headers['oci-subject'], undefined);
    for (const reference of ['v1', manifest.digest]) {
      const found = await get(reference);
      assertStatus(found, 200);
      assert.ok(manifest.bytes.equals(found.body));
      const asked = await http(at(reference), { method: 'HEAD' });
      for (const { status, headers } of [found, asked]) {
        assert.equal(status, 200);
        assert.equal(headers['content-type'], mediaTypes.manifest);
        assert.equal(headers['content-length'], String(manifest.bytes.length));
        assert.equal(headers['docker-content-digest'], manifest.digest);
        assert.equal(headers.etag, `"${manifest.digest}"`);
        assert.equal(headers['docker-distribution-api-version'], 'registry/2.0');
      }
      assert.equal(asked.body.length, 0);
    }
  });

  it('may be known by sha512', async () => {
    const image = randomImage();
    for (const blob of [image.config, ...image.layers]) await pushBlob(server.url, repository, blob);
    const { bytes } = image.manifest;
    const long = { bytes, digest: digestOf(bytes, 'sha512') };
    const pushed = await push(long.digest, long);
    assertStatus(pushed, 201);
    assert.equal(pushed.headers['docker-content-digest'], long.digest);
    const found = await get(long.digest);
    assert.equal(found.headers['docker-content-digest'], long.digest);
    assert.ok(bytes.equals(found.body));
  });

  it('are not sent to a client that has them', async () => {
    const { headers } = await get('latest');
    const again = await get('latest', { 'If-None-Match': headers.etag });
    assertStatus(again, 304);
    assert.equal(again.headers['docker-content-digest'], headers['docker-content-digest']);
  });

  it('come as they are stored to a client that would rather have another form', async () => {
    const answer = await get('latest', { Accept: mediaTypes.dockerManifest });
    assertStatus(answer, 200);
    assert.equal(answer.headers['content-type'], mediaTypes.manifest);
  });

  it('may be docker images and lists', async () => {
    const image = randomImage();
    for (const blob of [image.config, ...image.layers]) await pushBlob(server.url, repository, blob);
    const docker = blobOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.dockerManifest,
        config: descriptor('application/vnd.docker.container.image.v1+json', image.config),
        layers: image.layers.map((layer) => descriptor('application/vnd.docker.image.rootfs.diff.tar', layer)),
      }),
    );
    assertStatus(await push(docker.digest, docker, mediaTypes.dockerManifest), 201);
    const list = blobOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.dockerList,
        manifests: [
          { ...descriptor(mediaTypes.dockerManifest, docker), platform: { architecture: 'amd64', os: 'linux' } },
        ],
      }),
    );
    assertStatus(await push('list', list, mediaTypes.dockerList), 201);
    assert.equal((await get('list')).headers['content-type'], mediaTypes.dockerList);
    assert.equal((await get(docker.digest)).headers['content-type'], mediaTypes.dockerManifest);
  });

  it('may be pushed again, with nothing changed', async () => {
    const image = randomImage();
    await pushImage(server.url, repository, 'again', image);
    assertStatus(await push('again', image.manifest), 201);
    assertStatus(await push(image.manifest.digest, image.manifest), 201);
  });

  it('leave a tag that moves on, and stay', async () => {
    const [first, second] = [randomImage(), randomImage()];
    await pushImage(server.url, repository, 'moving', first);
    await pushImage(server.url, repository, 'moving', second);
    assert.equal((await get('moving')).headers['docker-content-digest'], second.manifest.digest);
    assertStatus(await get(first.manifest.digest), 200);
  });

  it('that are not there are MANIFEST_UNKNOWN', async () => {
    const message = 'Requested image not found';
    for (const reference of ['nothing', '.not-a-tag', 'a'.repeat(129), digestOf('nothing')]) {
      assertOciError(await get(reference), 404, 'MANIFEST_UNKNOWN', message);
      assertStatus(await http(at(reference), { method: 'HEAD' }), 404);
      assertOciError(await http(at(reference), { method: 'DELETE' }), 404, 'MANIFEST_UNKNOWN', message);
    }
  });

  it('of a repository that is not there are NAME_UNKNOWN', async () => {
    const answer = await http(`${server.url}/v2/nobody/has/manifests/latest`);
    const message = "The repository with name 'nobody/has' does not exist in the registry with id '000000000000'";
    assertOciError(answer, 404, 'NAME_UNKNOWN', message);
  });

  it('refuse a reference that is neither tag nor digest', async () => {
    const { manifest } = randomImage();
    assertOciError(await get('sha256:abc'), 400, 'DIGEST_INVALID');
    assertOciError(await push('sha256:abc', manifest), 400, 'DIGEST_INVALID');
    for (const tag of ['.dot', '-dash', 'pl+us', 'a'.repeat(129), 'white%20space', 'sl%2Fash']) {
      assertOciError(await push(tag, manifest), 400, 'TAG_INVALID', /is not a tag/);
    }
  });

  it('refuse a digest that is not theirs', async () => {
    const image = randomImage();
    await pushImage(server.url, repository, 'mine', image);
    assertOciError(
      await push(digestOf('other'), image.manifest),
      400,
      'DIGEST_INVALID',
      /does not match the image digest/,
    );
  });

  const broken: Record<string, string> = {
    'no JSON': '{"schemaVersion": 2,',
    nothing: '',
    'a list': '[]',
    'a number': '7',
    null: 'null',
    'no version': JSON.stringify({ mediaType: mediaTypes.manifest }),
    'an image without config': JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, layers: [] }),
    'layers that are none': JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: 1,
      layers: 'x',
    }),
    'deep nesting': `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    'bytes that are no UTF-8': Buffer.from([0x7b, 0xff, 0xfe, 0x7d]).toString('latin1'),
  };
  for (const [what, text] of Object.entries(broken)) {
    it(`refuse ${what}`, async () => {
      assertOciError(await push('broken', blobOf(Buffer.from(text, 'latin1'))), 400, 'MANIFEST_INVALID');
      assertOciError(await get('broken'), 404, 'MANIFEST_UNKNOWN');
    });
  }

  it('refuse to name layers that the repository lacks', async () => {
    const image = randomImage([10, 20]);
    const answer = await push('dangling', image.manifest);
    const digests = [image.config, ...image.layers].map((blob) => blob.digest);
    assertOciError(
      answer,
      400,
      'MANIFEST_BLOB_UNKNOWN',
      /^Layers with digests '\[.*\]' required for pushing image into/,
    );
    for (const digest of digests) assert.ok(answer.text().includes(digest));
  });

  it('refuse to name children that the repository lacks, in the words of ECR', async () => {
    const child = randomImage().manifest;
    const index = indexOf([child]);
    const message = `Images with digests '[${child.digest}]' required for pushing image into repository with name '${repository}' in the registry with id '000000000000' do not exist`;
    assertOciError(await push('index', index, mediaTypes.index), 400, 'MANIFEST_BLOB_UNKNOWN', message);
  });

  it('may have 4 MiB and no byte more', async () => {
    const image = randomImage();
    await pushImage(server.url, repository, 'small', image);
    const padded = (bytes: number) => blobOf(image.manifest.bytes.toString().padEnd(bytes, ' '));
    assertStatus(await push('large', padded(4 * mebibyte)), 201);
    assert.equal((await get('large')).body.length, 4 * mebibyte);
    assertOciError(await push('large', padded(4 * mebibyte + 1)), 413, 'MANIFEST_INVALID', /4194304/);
  });

  it('lose one tag with a DELETE by tag', async () => {
    const image = randomImage();
    await pushImage(server.url, repository, 'one', image);
    assertStatus(await push('two', image.manifest), 201);
    assertStatus(await http(at('one'), { method: 'DELETE' }), 202);
    assertOciError(await get('one'), 404, 'MANIFEST_UNKNOWN');
    assertStatus(await get('two'), 200);
    assertStatus(await get(image.manifest.digest), 200);
  });

  it('go with all their tags with a DELETE by digest', async () => {
    const image = randomImage();
    await pushImage(server.url, repository, 'three', image);
    assertStatus(await http(at(image.manifest.digest), { method: 'DELETE' }), 202);
    assertOciError(await get('three'), 404, 'MANIFEST_UNKNOWN');
    assertOciError(await get(image.manifest.digest), 404, 'MANIFEST_UNKNOWN');
  });

  it('stay while an index lists them', async () => {
    const image = randomImage();
    await pushImage(server.url, repository, image.manifest.digest, image);
    const index = indexOf([image.manifest]);
    assertStatus(await push('multi', index, mediaTypes.index), 201);
    const refused = await http(at(image.manifest.digest), { method: 'DELETE' });
    const message = `Requested image referenced by manifest list: [${index.digest}]`;
    assertOciError(refused, 405, 'UNSUPPORTED', message);
    assertStatus(await http(at(index.digest), { method: 'DELETE' }), 202);
    assertStatus(await http(at(image.manifest.digest), { method: 'DELETE' }), 202);
  });

  it('keep an immutable tag, and take the same image again', async () => {
    const name = 'team/immutable';
    const created = await awsCall(server.url, 'CreateRepository', {
      repositoryName: name,
      imageTagMutability: 'IMMUTABLE',
    });
    assertStatus(created, 200);
    const [first, second] = [randomImage(), randomImage()];
    await pushImage(server.url, name, 'fixed', first);
    await pushImage(server.url, name, 'other', second);
    assertStatus(await pushManifest(server.url, name, 'fixed', first.manifest, first.mediaType), 201);
    const refused = await pushManifest(server.url, name, 'fixed', second.manifest, second.mediaType);
    const message = `The image tag 'fixed' already exists in the '${name}' repository and cannot be overwritten because the tag is immutable.`;
    assertOciError(refused, 400, 'TAG_INVALID', message);
    const found = await http(`${server.url}/v2/${name}/manifests/fixed`);
    assert.equal(found.headers['docker-content-digest'], first.manifest.digest);
  });
});

function indexOf(children: readonly Blob[]): Blob {
  return blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: children.map((child) => descriptor(mediaTypes.manifest, child)),
    }),
  );
}
