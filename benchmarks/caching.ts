import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createUpstreamRegistry } from '../src/drivers/upstreams/upstream-registry.ts';
import { awsCall } from '../test/support/aws-call.ts';
import { blobOf, descriptor, type Image, mediaTypes, pushImage, randomImage } from '../test/support/images.ts';
import { findProgram, run } from '../test/support/programs.ts';
import { startScripted } from '../test/support/scripted-registry.ts';
import { type RunningServer, startServer } from '../test/support/server.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

/**
 * What the pull-through cache costs: `node benchmarks/caching.ts [MB]`.
 *
 * 1. A large image, from one Gantry into another: pulled through the cache until it is recorded, and copied by skopeo.
 * 2. The time until a layer's first byte: through the cache, and of the upstream itself, which answers at once or after 20 ms.
 */
const MB = 1_000_000;
const megabytes = Number(process.argv[2] ?? 1000);
const LAYERS = 4;
const ROUNDS = 3;
const LOOKS = 30;

if (megabytes > 0) await large();
for (const delayMs of [0, 20]) await firstBytes(delayMs);

async function large(): Promise<void> {
  await using upstream = await startServer({ args: ['--create-on-push'] });
  const image = await pushLarge(upstream);
  const rates: Record<'cache' | 'skopeo', number[]> = { cache: [], skopeo: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    rates.cache.push(megabytes / (await cacheSeconds(upstream, image)));
    if (findProgram('skopeo') !== undefined) rates.skopeo.push(megabytes / (await skopeoSeconds(upstream)));
  }
  report(`${megabytes} MB in ${LAYERS} layers, until it is stored`, 'MB/s', rates);
}

async function cacheSeconds(upstream: RunningServer, image: Image): Promise<number> {
  await using cache = await startCache(upstream.url);
  const started = performance.now();
  await get(`${cache.url}/v2/hub/large/manifests/v1`);
  await Promise.all(
    [image.config, ...image.layers].map(({ digest }) => get(`${cache.url}/v2/hub/large/blobs/${digest}`)),
  );
  await recorded(cache, 'hub/large', 'v1');
  return (performance.now() - started) / 1000;
}

async function skopeoSeconds(upstream: RunningServer): Promise<number> {
  await using target = await startServer({ args: ['--create-on-push'] });
  const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  const started = performance.now();
  const words = ['copy', '--quiet', ...plain, `docker://${upstream.host}/large:v1`, `docker://${target.host}/large:v1`];
  await run([findProgram('skopeo') ?? '', ...words]);
  return (performance.now() - started) / 1000;
}

/** Layers that no client can make smaller; one buffer for all of their bytes at a time. */
async function pushLarge(upstream: RunningServer): Promise<Image> {
  await using folder = await temporaryFolder();
  const layers = [];
  await using client = createUpstreamRegistry({ url: upstream.url }, { allowPrivate: true });
  for (let at = 0; at < LAYERS; at += 1) {
    const blob = blobOf(randomBytes(Math.floor((megabytes * MB) / LAYERS)));
    const file = join(folder.path, String(at));
    await writeFile(file, blob.bytes);
    await client.uploadBlob('large', {
      digest: blob.digest as `sha256:${string}`,
      bytes: blob.bytes.length,
      read: async ({ first, last }) => readerOf(file, first, last),
    });
    layers.push({ bytes: Buffer.alloc(0), digest: blob.digest, size: blob.bytes.length });
    await rm(file);
  }
  const config = randomImage().config;
  const manifest = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: descriptor(mediaTypes.config, config),
      layers: layers.map(({ digest, size }) => ({ mediaType: mediaTypes.layer, digest, size })),
    }),
  );
  await pushImage(upstream.url, 'large', 'v1', { config, layers: [], manifest, mediaType: mediaTypes.manifest });
  return { config, layers, manifest, mediaType: mediaTypes.manifest };
}

function readerOf(file: string, first: number, last: number) {
  const stream = createReadStream(file, { start: first, end: last, highWaterMark: MB });
  const chunks = stream[Symbol.asyncIterator]();
  return {
    bytes: last + 1 - first,
    next: async () => (await chunks.next()).value as Uint8Array | undefined,
    recycle() {},
    async [Symbol.asyncDispose]() {
      stream.destroy();
    },
  };
}

async function firstBytes(delayMs: number): Promise<void> {
  await using upstream = await startScripted();
  await using cache = await startCache(upstream.url);
  const times: Record<'cache' | 'upstream', number[]> = { cache: [], upstream: [] };
  for (let at = 0; at < LOOKS; at += 1) {
    const image = randomImage([1_000_000]);
    const [layer] = image.layers;
    upstream.add('app', image, `v${at}`);
    upstream.trouble(/\/blobs\//, async (incoming, response) => {
      const bytes = incoming.url?.endsWith(layer?.digest ?? '') ? layer?.bytes : image.config.bytes;
      if (delayMs > 0) await sleep(delayMs);
      response.writeHead(200, { 'Content-Length': bytes?.length });
      response.end(bytes);
    });
    await get(`${cache.url}/v2/hub/app/manifests/v${at}`);
    times.upstream.push(await get(`${upstream.url}/v2/app/blobs/${layer?.digest}`));
    times.cache.push(await get(`${cache.url}/v2/hub/app/blobs/${layer?.digest}`));
    // What is still being done for one image must not be measured with the next.
    await recorded(cache, 'hub/app', `v${at}`);
    await sleep(300);
  }
  report(`first byte of a layer of 1 MB, upstream answers after ${delayMs} ms`, 'ms', times);
}

async function startCache(upstreamRegistryUrl: string): Promise<RunningServer> {
  const cache = await startServer({ args: ['--allow-private-upstreams'] });
  await awsCall(cache.url, 'CreatePullThroughCacheRule', { ecrRepositoryPrefix: 'hub', upstreamRegistryUrl });
  return cache;
}

async function recorded({ url }: RunningServer, repositoryName: string, imageTag: string): Promise<void> {
  const input = { repositoryName, imageIds: [{ imageTag }] };
  while ((await awsCall(url, 'DescribeImages', input)).status !== 200) await sleep(5);
}

/** Reads an answer to its end and keeps nothing of it. @returns milliseconds until its first byte */
function get(url: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const started = performance.now();
  let first: number | undefined;
  request(url, (response) => {
    if (response.statusCode !== 200) reject(new Error(`${url}: ${response.statusCode}`));
    response.on('data', () => {
      first ??= performance.now() - started;
    });
    response.on('end', () => resolve(first ?? 0)).on('error', reject);
  })
    .on('error', reject)
    .end();
  return promise;
}

function report(title: string, unit: string, series: Readonly<Record<string, readonly number[]>>): void {
  const parts = Object.entries(series).map(([name, values]) => `${name} ${median(values).toFixed(2)} ${unit}`);
  console.log(`${title}: ${parts.join(', ')}`);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
