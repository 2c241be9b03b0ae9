import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type CachingWorld, cachingWorld, eventually, randomImage, recorded } from '../support/caching-world.ts';
import { digestOf, mediaTypes } from '../support/images.ts';
import type { Answer } from '../support/scripted-registry.ts';
import { startServer } from '../support/server.ts';
import { stagedFiles } from '../support/stored-files.ts';
import { ecrClient, refused } from './aws-client.ts';

const MIB = 1024 * 1024;

describe('pull-through cache of an upstream that gives trouble', () => {
  let world: CachingWorld;
  before(async () => {
    world = await cachingWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  const batch = async (name: string) => {
    const got = await world.ecr.batchGetImage({ repositoryName: `hub/${name}`, imageIds: [{ imageTag: 'v1' }] });
    return got.failures?.[0]?.failureCode;
  };

  const refusals: [name: string, status: number, code: string, failure: string | undefined, answer: Answer][] = [
    ['missing', 404, 'MANIFEST_UNKNOWN', 'ImageNotFound', (_, response) => response.writeHead(404).end()],
    ['denied', 404, 'MANIFEST_UNKNOWN', 'UpstreamAccessDenied', (_, response) => response.writeHead(403).end()],
    [
      'limited',
      429,
      'TOOMANYREQUESTS',
      'UpstreamTooManyRequests',
      (_, response) => response.writeHead(429, { 'Retry-After': '7' }).end(),
    ],
    ['down', 503, 'UNKNOWN', 'UpstreamUnavailable', (_, response) => response.writeHead(503).end()],
    ['cut', 503, 'UNKNOWN', 'UpstreamUnavailable', (_, response) => response.destroy()],
    [
      'html',
      502,
      'UNKNOWN',
      'UpstreamUnavailable',
      (_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>'),
    ],
    [
      'loop',
      502,
      'UNKNOWN',
      'UpstreamUnavailable',
      ({ url }, response) => response.writeHead(307, { Location: url }).end(),
    ],
    [
      'metadata',
      502,
      'UNKNOWN',
      'UpstreamUnavailable',
      (_, response) => response.writeHead(307, { Location: 'http://169.254.169.254/latest' }).end(),
    ],
    [
      'lying',
      502,
      'UNKNOWN',
      'UpstreamUnavailable',
      (_, response) => {
        const { manifest, mediaType } = randomImage();
        const headers = { 'Content-Type': mediaType, 'Docker-Content-Digest': digestOf('something else') };
        response.writeHead(200, headers).end(manifest.bytes);
      },
    ],
    [
      'ancient',
      502,
      'UNKNOWN',
      'UpstreamUnavailable',
      (_, response) => {
        response.setHeader('Content-Type', 'application/vnd.docker.distribution.manifest.v1+json');
        response.end('{"schemaVersion":1}');
      },
    ],
  ];
  for (const [name, status, code, failure, answer] of refusals) {
    it(`says so of a manifest: ${name}`, async () => {
      world.upstream.trouble(new RegExp(`/${name}/`), answer);
      const manifest = await world.get(`hub/${name}/manifests/v1`);
      assert.deepEqual([manifest.status, manifest.json().errors[0].code], [status, code], manifest.text());
      if (name === 'limited') assert.equal(manifest.headers['retry-after'], '7');
      if (status >= 500) assert.match(manifest.text(), /127\.0\.0\.1/);
      assert.equal(await batch(name), failure);
      const described = world.ecr.describeRepositories({ repositoryNames: [`hub/${name}`] });
      await refused(described, 'RepositoryNotFoundException');
    });
  }

  it('does not ask for the same again at once', async () => {
    const asked = () => world.upstream.count(/\/nothing\//);
    await Promise.all(Array.from({ length: 20 }, () => world.get('hub/nothing/manifests/v1')));
    await world.get('hub/nothing/manifests/v1');
    assert.equal(asked(), 1);
  });

  /** Pulls a layer of which the upstream sends what the answer says. @returns how the client fared */
  async function pullLayer(name: string, answer: (layer: Buffer) => Answer) {
    const image = randomImage([3 * MIB]);
    const [layer] = image.layers;
    world.upstream.add(name, image, 'v1');
    world.upstream.trouble(new RegExp(`/${name}/blobs/${layer?.digest}`), answer(layer!.bytes));
    await world.get(`hub/${name}/manifests/v1`);
    const got = await world.get(`hub/${name}/blobs/${layer?.digest}`).then(
      ({ status }) => status,
      (error) => error.code ?? error.message,
    );
    return { got, image, layer: layer! };
  }

  async function leavesNothing(name: string, imageDigest: string) {
    const described = await world.ecr.describeImages({ repositoryName: `hub/${name}` });
    assert.deepEqual(described.imageDetails, [], imageDigest);
    await eventually(async () => ((await stagedFiles(world.server.data)).length === 0 ? true : undefined));
  }

  it('cuts the connection when a layer turns out to be another', async () => {
    const { got, image } = await pullLayer('wrong', (layer) => (_, response) => {
      response.end(Buffer.from(layer).fill(0, 2 * MIB));
    });
    assert.equal(got, 'ECONNRESET');
    await leavesNothing('wrong', image.manifest.digest);
  });

  it('cuts the connection also when only the last bytes are wrong and all others are there', async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const image = randomImage([200_000]);
    const [layer] = image.layers;
    world.upstream.add('late', image, 'v1');
    world.upstream.trouble(new RegExp(`/late/blobs/${layer?.digest}`), async (_, response) => {
      response.writeHead(200, { 'Content-Length': 200_000 });
      response.write(layer!.bytes.subarray(0, 199_990));
      await go;
      response.end(Buffer.alloc(10));
    });
    await world.get('hub/late/manifests/v1');
    const answer = await fetch(`${world.server.url}/v2/hub/late/blobs/${layer?.digest}`);
    const reader = answer.body!.getReader();
    for (let got = 0; got < 199_990; ) got += (await reader.read()).value?.length ?? 0;
    resolve();
    await assert.rejects(reader.read(), TypeError);
    await leavesNothing('late', image.manifest.digest);
  });

  it('refuses a layer of another length before anything is sent', async () => {
    for (const [name, change] of [
      ['longer', 10],
      ['shorter', -10],
    ] as const) {
      const { got, image } = await pullLayer(name, (layer) => (_, response) => {
        response.end(Buffer.concat([layer, Buffer.alloc(10)]).subarray(0, layer.length + change));
      });
      assert.equal(got, 502);
      await leavesNothing(name, image.manifest.digest);
    }
  });

  it('goes on where the connection broke', async () => {
    const { got, image } = await pullLayer('broken', (layer) => (request, response) => {
      const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const status = from === 0 ? 200 : 206;
      const range = from === 0 ? {} : { 'Content-Range': `bytes ${from}-${layer.length - 1}/${layer.length}` };
      response.writeHead(status, { 'Content-Length': layer.length - from, ...range });
      response.write(layer.subarray(from, from + 1_300_000), () => {
        if (from + 1_300_000 < layer.length) response.destroy();
        else response.end();
      });
    });
    assert.equal(got, 200);
    await recorded(world, 'hub/broken', image.manifest.digest);
  });

  it('gives what has come while the rest takes its time', async () => {
    const image = randomImage([300_000]);
    const [layer] = image.layers;
    world.upstream.add('slow', image, 'v1');
    const { promise: go, resolve } = Promise.withResolvers<void>();
    world.upstream.trouble(/\/slow\/blobs\//, async (request, response) => {
      const isLayer = request.url?.includes(layer!.digest);
      const { bytes } = isLayer ? layer! : image.config;
      response.writeHead(200, { 'Content-Length': bytes.length });
      if (!isLayer) return response.end(bytes);
      response.write(bytes.subarray(0, 1000));
      await go;
      response.end(bytes.subarray(1000));
    });
    await world.get('hub/slow/manifests/v1');
    const two = [0, 1].map(() => fetch(`${world.server.url}/v2/hub/slow/blobs/${layer?.digest}`));
    const readers = (await Promise.all(two)).map(({ body }) => body!.getReader());
    const firsts = await Promise.all(readers.map((reader) => reader.read()));
    for (const { value } of firsts) assert.ok(Buffer.from(value!).equals(layer!.bytes.subarray(0, 1000)));
    // One goes away: neither the other nor the import minds.
    await readers[0]?.cancel();
    resolve();
    const rest: Buffer[] = [];
    for (let part = await readers[1]!.read(); !part.done; part = await readers[1]!.read())
      rest.push(Buffer.from(part.value));
    assert.ok(Buffer.concat(rest).equals(layer!.bytes.subarray(1000)));
    await recorded(world, 'hub/slow', image.manifest.digest);
    assert.equal(world.upstream.count(new RegExp(`/slow/blobs/${layer?.digest}`)), 1);
  });

  it('imports to the end when all clients have gone', async () => {
    const image = randomImage([4 * MIB]);
    world.upstream.add('left', image, 'v1');
    await world.get('hub/left/manifests/v1');
    const gone = new AbortController();
    const [layer] = image.layers;
    const answer = await fetch(`${world.server.url}/v2/hub/left/blobs/${layer?.digest}`, { signal: gone.signal });
    await answer.body?.getReader().read();
    gone.abort();
    await recorded(world, 'hub/left', image.manifest.digest);
    assert.equal(world.upstream.count(new RegExp(`/left/blobs/${layer?.digest}`)), 1);
  });

  it('takes a wrong index for what it is', async () => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [{}] }));
    world.upstream.addManifest('indexed', { bytes, digest: digestOf(bytes) }, mediaTypes.index, 'v1');
    assert.equal((await world.get('hub/indexed/manifests/v1')).status, 502);
  });
});

describe('pull-through cache without --allow-private-upstreams', () => {
  it('asks nothing on this machine or in private networks', async () => {
    let connections = 0;
    const secret = createServer(() => {}).on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => secret.listen(0, '127.0.0.1', resolve));
    const { port } = secret.address() as AddressInfo;
    await using server = await startServer();
    const ecr = ecrClient(server.url, { accessKeyId: '000000000000' });
    const addresses = [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, '169.254.169.254', '10.1.2.3'];
    for (const [at, host] of addresses.entries()) {
      const ecrRepositoryPrefix = `p${at}`;
      await ecr.createPullThroughCacheRule({ ecrRepositoryPrefix, upstreamRegistryUrl: `http://${host}` });
      const { isValid, failure } = await ecr.validatePullThroughCacheRule({ ecrRepositoryPrefix });
      assert.equal(isValid, false);
      assert.match(failure ?? '', /is a .* address, which is not asked/);
      const answer = await fetch(`${server.url}/v2/${ecrRepositoryPrefix}/app/manifests/v1`);
      assert.equal(answer.status, 502);
    }
    assert.equal(connections, 0);
    secret.close();
  });
});
