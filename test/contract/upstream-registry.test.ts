import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect as connectTo, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobSource, UpstreamRegistry } from '../../src/core/upstreams/upstream.ts';
import { type Digest, digestOf } from '../../src/core/values/digest.ts';
import { createUpstreamRegistry } from '../../src/drivers/upstreams/upstream-registry.ts';
import {
  ACCOUNT,
  type Credentials,
  ecrCall,
  passwordOf,
  prepareAccess,
  startEnforcedServer,
} from '../support/access.ts';
import { blobOf, descriptor, type Image, mediaTypes, pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { failure } from '../upstreams/hostile-registry.ts';
import { digestFrom, LAYER_BYTES, largeReader, largeSource, sourceOf } from '../upstreams/sources.ts';

const connect = (url: string, password?: string): UpstreamRegistry =>
  createUpstreamRegistry(
    { url, ...(password !== undefined && { credentials: { username: 'AWS', password } }) },
    { allowPrivate: [new URL(url).host] },
  );

async function create(url: string, repositoryName: string, key?: Credentials): Promise<void> {
  const { status, text } = await ecrCall(url, 'CreateRepository', { repositoryName }, key);
  assert.equal(status, 200, text());
}

describe('a registry of our own as an upstream', () => {
  let server: RunningServer;
  let client: UpstreamRegistry;
  let image: Image;
  let name: string;

  before(async () => {
    server = await startServer();
    client = connect(server.url);
    image = randomImage([200_000, 10]);
    name = `up/${randomUUID()}`;
    await create(server.url, name);
    await pushImage(server.url, name, 'v1', image);
  });
  after(async () => {
    await client?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  it('answers, and gives its manifests by tag and digest', async () => {
    await client.ping();
    const digest = image.manifest.digest as Digest;
    for (const reference of ['v1', digest]) {
      const manifest = await client.getManifest(name, reference);
      assert.deepEqual(manifest, { digest, mediaType: image.mediaType, content: image.manifest.bytes });
      const head = { digest, mediaType: image.mediaType, bytes: image.manifest.bytes.length };
      assert.deepEqual(await client.headManifest(name, reference), head);
      assert.equal(await client.getManifest(name, reference, { ifNoneMatch: digest }), 'not-modified');
    }
    const other = digestOf(Buffer.from('x'));
    assert.equal((await client.getManifest(name, 'v1', { ifNoneMatch: other })) === 'not-modified', false);
    assert.equal(await client.headManifest(name, 'v2'), undefined);
    await assert.rejects(
      client.getManifest(name, 'v2'),
      failure('not-found', /manifest .*:v2: it answered 404 \(MANIFEST/),
    );
    await assert.rejects(client.getManifest('none', 'v2'), failure('not-found', /404 \(NAME_UNKNOWN/));
  });

  it('gives its blobs, whole and from an offset', async () => {
    const [layer] = image.layers;
    const digest = layer?.digest as Digest;
    assert.deepEqual(await client.headBlob(name, digest), { bytes: 200_000 });
    const whole = await digestFrom(await client.openBlob(name, digest, { expectedBytes: 200_000 }));
    assert.deepEqual([whole.digest, whole.bytes], [digest, 200_000]);
    const rest = await digestFrom(await client.openBlob(name, digest, { offset: 150_000 }));
    assert.deepEqual([rest.digest, rest.bytes], [digestOf(layer!.bytes.subarray(150_000)), 50_000]);
    const none = digestOf(Buffer.from('none'));
    assert.equal(await client.headBlob(name, none), undefined);
    await assert.rejects(client.openBlob(name, none), failure('not-found', /blob .*@sha256:.*404/));
  });

  it('takes an image, mounts what it has, and lists what came', async () => {
    const target = `up/${randomUUID()}`;
    await create(server.url, target);
    const { config, layers, manifest, mediaType } = image;
    const [large, small] = layers;
    assert.equal(await client.mountBlob(target, large?.digest as Digest, name), true);
    assert.equal(await client.mountBlob(target, digestOf(Buffer.from('none')), name), false);
    const unread = { ...sourceOf(small!.bytes), read: () => Promise.reject(new Error('it is there already')) };
    assert.equal(await client.uploadBlob(target, unread, { mountFrom: name }), 'mounted');
    assert.equal(await client.uploadBlob(target, sourceOf(config.bytes)), 'uploaded');
    const toPut = { content: manifest.bytes, mediaType };
    assert.equal(await client.putManifest(target, 'latest', toPut), manifest.digest);
    assert.equal(await client.putManifest(target, manifest.digest, toPut), manifest.digest);
    assert.deepEqual(await Array.fromAsync(client.listTags(target)), ['latest']);
    const repositories = await Array.fromAsync(client.listRepositories());
    assert.ok(repositories.includes(target) && repositories.includes(name));
    const lacking = randomImage();
    const broken = { content: lacking.manifest.bytes, mediaType };
    await assert.rejects(
      client.putManifest(target, 'x', broken),
      failure('refused', /put manifest .*:x: it answered 40/),
    );
  });

  it('tells what refers to an image, over several pages', async () => {
    const subject = descriptor(image.mediaType, image.manifest);
    const empty = blobOf('{}');
    await client.uploadBlob(name, sourceOf(empty.bytes));
    const pushed: string[] = [];
    for (let number = 0; number < 103; number++) {
      const config = descriptor(mediaTypes.empty, empty);
      const artifactType = 'application/vnd.example.note';
      const annotations = { number: String(number) };
      const document = {
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        artifactType,
        config,
        layers: [],
        subject,
        annotations,
      };
      const content = Buffer.from(JSON.stringify(document));
      pushed.push(await client.putManifest(name, digestOf(content), { content, mediaType: mediaTypes.manifest }));
    }
    const referrers = await Array.fromAsync(client.referrers(name, image.manifest.digest as Digest));
    assert.deepEqual(referrers.map(({ digest }) => digest).sort(), pushed.sort());
    assert.ok(referrers.every(({ annotations }) => annotations?.number !== undefined));
    assert.deepEqual(await Array.fromAsync(client.referrers(name, digestOf(empty.bytes))), []);
  });

  it('takes and gives 64 MB byte for byte, in little memory', async () => {
    const source = largeSource();
    const { external } = process.memoryUsage();
    assert.equal(await client.uploadBlob(name, source), 'uploaded');
    const reader = await client.openBlob(name, source.digest, { expectedBytes: LAYER_BYTES });
    const { digest, bytes, memoryMax } = await digestFrom(reader);
    assert.deepEqual([digest, bytes], [source.digest, LAYER_BYTES]);
    assert.ok(memoryMax - external < LAYER_BYTES, `${memoryMax - external} bytes were held at once`);
  });

  it('is sent the rest alone after the connection broke', async () => {
    const source = largeSource();
    const opened: number[] = [];
    const breaking: BlobSource = {
      ...source,
      async read(range) {
        opened.push(range.first);
        return largeReader(range.first, range.last + 1);
      },
    };
    const target = `up/${randomUUID()}`;
    await create(server.url, target);
    await using cable = await startCable(server.port, 8_000_000);
    await using through = connect(cable.url);
    assert.equal(await through.uploadBlob(target, breaking), 'uploaded');
    assert.deepEqual(await client.headBlob(target, source.digest), { bytes: LAYER_BYTES });
    assert.equal(opened[0], 0);
    assert.ok(opened.length > 1 && opened.slice(1).every((first) => first > 0), `${opened}`);
  });

  it('gets nothing of an upload that was given up', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const source = largeSource();
    let given = 0;
    const slow: BlobSource = {
      ...source,
      async read(range) {
        const reader = largeReader(range.first, range.last + 1);
        const next = async () => {
          given += 1;
          if (given === 3) controller.abort(reason);
          return reader.next();
        };
        return { ...reader, next };
      },
    };
    const target = `up/${randomUUID()}`;
    await create(server.url, target);
    const uploading = client.uploadBlob(target, slow, { signal: controller.signal });
    await assert.rejects(uploading, (error) => error === reason);
    const isGivenBefore = given;
    await sleep(100);
    assert.ok(given - isGivenBefore <= 1);
    assert.equal(await client.headBlob(target, source.digest), undefined);
  });
});

describe('a registry of our own that asks who is there, as an upstream', () => {
  for (const anonymousPull of [false, true]) {
    it(`is logged in to with ${anonymousPull ? 'a bearer token' : 'Basic'}`, async () => {
      await using server = await startEnforcedServer({ args: anonymousPull ? ['--anonymous-pull'] : [] });
      const access = prepareAccess(server);
      const pusher = await access.user('pusher', { managed: 'AmazonEC2ContainerRegistryPowerUser' });
      await create(server.url, 'team/app', access.root);
      const password = await passwordOf(server.url, pusher);
      const principal = `arn:aws:iam::${ACCOUNT}:user/pusher`;
      const words = ['token', 'create', '--principal', principal, '--expires', '1d', '--actions', 'pull', '--json'];
      const robot = JSON.parse(await access.gantry(words)).password as string;
      const { config, manifest, mediaType } = randomImage([]);
      await using client = connect(server.url, password);
      await using reader = connect(server.url, robot);
      await using stranger = connect(server.url);
      await using wrong = connect(server.url, 'no password');
      await client.ping();
      await client.uploadBlob('team/app', sourceOf(config.bytes));
      await client.putManifest('team/app', 'v1', { content: manifest.bytes, mediaType });
      await reader.ping();
      assert.equal((await reader.headManifest('team/app', 'v1'))?.digest, manifest.digest);
      const blob = await digestFrom(await reader.openBlob('team/app', config.digest as Digest));
      assert.equal(blob.digest, config.digest);
      await assert.rejects(reader.uploadBlob('team/app', sourceOf(Buffer.from('x'))), failure('denied', /403|401/));
      await assert.rejects(wrong.ping(), failure('unauthorized', /401/));
      await assert.rejects(
        stranger.getManifest('team/app', 'v1'),
        failure(anonymousPull ? 'denied' : 'unauthorized', /40[13]/),
      );
    });
  }
});

/** A cable to a server that is pulled once, when so many bytes have gone through it. */
async function startCable(port: number, bytesMax: number) {
  let left = bytesMax;
  const cable = createServer((socket) => {
    const onward = connectTo(port, '127.0.0.1');
    socket.on('data', (chunk) => {
      const hasRoom = left > 0;
      left -= chunk.length;
      if (hasRoom && left <= 0) socket.resetAndDestroy();
    });
    socket
      .on('error', () => {})
      .on('close', () => onward.destroy())
      .pipe(onward);
    onward.on('error', () => socket.destroy()).pipe(socket);
  });
  await new Promise<void>((resolve) => cable.listen(0, '127.0.0.1', resolve));
  const { port: own } = cable.address() as { port: number };
  return {
    url: `http://127.0.0.1:${own}`,
    async [Symbol.asyncDispose]() {
      cable.close();
    },
  };
}
