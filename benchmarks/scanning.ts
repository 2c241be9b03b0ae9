/**
 * `node benchmarks/scanning.ts [time|pushes|again]`: what scanning costs. Times hold only on a machine that does nothing else;
 * each is therefore told beside one that was measured in turn with it.
 */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, gzipSync } from 'node:zlib';
import { coreDependencies, openStores } from '../src/compose/stores.ts';
import { openVulnerabilityDatabase } from '../src/compose/vulnerability-database.ts';
import type { CoreDependencies } from '../src/core/dependencies.ts';
import { matchImages } from '../src/core/scanning/match-images.ts';
import type { ScanEngine } from '../src/core/scanning/scan-engine.ts';
import type { PackedInventory } from '../src/core/scanning/scan-records.ts';
import type { Digest } from '../src/core/values/digest.ts';
import { createBuiltinEngine } from '../src/drivers/scanners/builtin/builtin-engine.ts';
import { createWorkerEngine } from '../src/drivers/scanners/builtin/worker-engine.ts';
import { awsCall } from '../test/support/aws-call.ts';
import { debianRecords } from '../test/support/debian-facts.ts';
import { type Blob, blobOf, descriptor, mediaTypes, pushImage } from '../test/support/images.ts';
import { DEBIAN_FILES, imageOf, imageOfFiles } from '../test/support/scanned-images.ts';
import { type RunningServer, startServer } from '../test/support/server.ts';
import { tar } from '../test/support/tar.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { perform } from './measure.ts';
import { peakMib, residentMib } from './process-meter.ts';

const MIB = 1024 * 1024;
const repositoryName = 'bench/scanned';
const config = blobOf(JSON.stringify({ architecture: 'amd64', os: 'linux' }));

/** 500 MiB of files that a compressor halves, as programs are; one gzip member, behind which others may stand. */
function largeMember(): Buffer {
  const some = Buffer.concat([randomBytes(MIB / 2), Buffer.alloc(MIB / 2, 'a program has much in it twice; ')]);
  const files = Array.from({ length: 50 }, (_, at) => ({
    name: `usr/bin/program-${at}`,
    mode: 0o755,
    bytes: tenOf(some),
  }));
  return gzipSync(tar([...files, ...Object.entries(DEBIAN_FILES).map(toEntry)]), { level: 1 });
}

const tenOf = (bytes: Buffer) => Buffer.concat(Array.from({ length: 10 }, () => bytes));
const toEntry = ([name, text]: [string, string]) => ({ name, bytes: Buffer.from(text) });

/** A layer that nobody has read: a small member of its own in front of the large one. */
function unreadImage(large: Buffer) {
  const mark = tar([{ name: `etc/${randomBytes(8).toString('hex')}`, bytes: Buffer.from('x') }]).subarray(0, 1024);
  const layer = blobOf(Buffer.concat([gzipSync(mark), large]));
  return { layer, image: imageOf(config, [layer], [descriptor(`${mediaTypes.layer}+gzip`, layer)]) };
}

async function scanningServer(data?: string): Promise<RunningServer> {
  const server = await startServer({ args: ['--scan-limit', 'off'], data });
  await learn(join(server.data, 'vulnerabilities.db'), debianRecords());
  await awsCall(server.url, 'CreateRepository', { repositoryName });
  return server;
}

async function learn(file: string, records: readonly object[]): Promise<void> {
  using database = await openVulnerabilityDatabase(file);
  await writeFile(`${file}.json`, JSON.stringify(records));
  await database.import([`${file}.json`], () => {});
  await rm(`${file}.json`);
}

async function scan({ url }: RunningServer, imageTag: string): Promise<void> {
  const input = { repositoryName, imageId: { imageTag } };
  await awsCall(url, 'StartImageScan', input);
  for (;;) {
    const { imageScanStatus } = (await awsCall(url, 'DescribeImageScanFindings', input)).json();
    if (imageScanStatus.status === 'COMPLETE') return;
    if (imageScanStatus.status !== 'IN_PROGRESS') throw new Error(imageScanStatus.description);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** The time of scanning an image of 500 MiB against reading and unpacking it, and the memory of a server that did no more. */
async function time(): Promise<void> {
  const large = largeMember();
  await using folder = await temporaryFolder();
  const { path: data } = folder;
  for (let round = 0; round < 3; round++) {
    const { layer, image } = unreadImage(large);
    {
      await using server = await scanningServer(data);
      await pushImage(server.url, repositoryName, `v${round}`, image);
    }
    const file = join(data, 'layer');
    await writeFile(file, layer.bytes);
    const unpacking = await seconds(() => unpack(file));
    await using server = await scanningServer(data);
    const before = residentMib(server.pid);
    const scanning = await seconds(() => scan(server, `v${round}`));
    const ratio = (scanning / unpacking).toFixed(2);
    const memory = `${before.toFixed()} MiB before, ${peakMib(server.pid).toFixed()} MiB at most`;
    console.log(`unpacked in ${unpacking.toFixed(1)} s, scanned in ${scanning.toFixed(1)} s (${ratio}); ${memory}`);
  }
}

async function unpack(file: string): Promise<void> {
  await pipeline(createReadStream(file), createGunzip({ chunkSize: 256 * 1024 }), async (chunks) => {
    for await (const _ of chunks);
  });
}

/** How fast layers are pushed while images are being scanned, against when none is. */
async function pushes(): Promise<void> {
  const large = largeMember();
  await using server = await scanningServer();
  const images = Array.from({ length: 6 }, () => unreadImage(large).image);
  for (const [at, image] of images.entries()) await pushImage(server.url, repositoryName, `v${at}`, image);
  const push = async () => {
    const repository = `bench/${randomBytes(4).toString('hex')}`;
    const { bytes, seconds: took } = await perform({
      kind: 'upload-blobs',
      port: server.port,
      repository,
      count: 8,
      blobBytes: 64 * MIB,
    });
    return bytes / MIB / took;
  };
  await push();
  for (let round = 0; round < 3; round++) {
    const alone = await push();
    const scans = Promise.all([scan(server, `v${2 * round}`), scan(server, `v${2 * round + 1}`)]);
    const beside = await push();
    const isStill = await Promise.race([scans.then(() => 'over'), Promise.resolve('going on')]);
    await scans;
    console.log(
      `pushed ${alone.toFixed()} MiB/s alone, ${beside.toFixed()} beside scans (${(beside / alone).toFixed(2)}); scans ${isStill}`,
    );
  }
}

const IMAGES = Number(process.env.IMAGES ?? 10_000);

/** How long 10,000 images take to be matched again. They share a base of 400 packages, and each has ten of its own. */
async function again(): Promise<void> {
  await using folder = await temporaryFolder();
  const databaseFile = join(folder.path, 'vulnerabilities.db');
  const records = Array.from({ length: RECORDS }, (_, at) => recordOf(`base-${at % 400}`, at));
  await learn(databaseFile, records);
  await using stores = await openStores(folder.path);
  await using engine = createWorkerEngine({ databaseFile });
  const dependencies = coreDependencies(stores, {});
  using reader = createBuiltinEngine({ databaseFile });
  await seedImages(dependencies, reader);
  const { signal } = new AbortController();
  for (const round of ['first', 'again']) {
    let longest = 0;
    let last = performance.now();
    const beat = setInterval(() => {
      longest = Math.max(longest, performance.now() - last - BEAT_MS);
      last = performance.now();
    }, BEAT_MS);
    let matched = 0;
    const cpuBefore = process.cpuUsage();
    const took = await seconds(async () => {
      matched = await matchImages(dependencies, engine, { signal });
    });
    clearInterval(beat);
    const { user, system } = process.cpuUsage(cpuBefore);
    const cpu = ((user + system) / 1e6).toFixed(1);
    console.log(
      `${round}: ${matched} images in ${took.toFixed(1)} s, ${cpu} s of CPU; others waited ${longest.toFixed()} ms at most`,
    );
    await learn(databaseFile, [recordOf('base-1', 1_000_000)]);
  }
}

const BEAT_MS = 5;
/** Of the packages of the base: three of four say something of it, so an image has some 300 findings. */
const RECORDS = 400;

function manyPackages(prefix: string, count: number): string {
  const one = (at: number) =>
    `Package: ${prefix}-${at}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.${at}\n\n`;
  return Array.from({ length: count }, (_, at) => one(at)).join('');
}

function recordOf(name: string, number: number): object {
  return {
    id: `DEBIAN-CVE-2026-${10_000 + number}`,
    modified: new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString(),
    upstream: [`CVE-2026-${10_000 + number}`],
    details: 'Something that is wrong, in a sentence of the length that such sentences have.',
    affected: [
      {
        package: { ecosystem: 'Debian:12', name },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: `1.${number % 800}` }] }],
      },
    ],
  };
}

/** As pushes and scans would leave them, but without their bytes, of which no match reads any. */
async function seedImages({ metadata }: CoreDependencies, engine: ScanEngine): Promise<void> {
  const registry = { accountId: '000000000000', region: 'us-east-1' };
  const at = new Date();
  const rules = [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }] as const;
  const osRelease = DEBIAN_FILES['etc/os-release']!;
  const base = { 'etc/os-release': osRelease, 'var/lib/dpkg/status': manyPackages('base', 400) };
  const repository = await metadata.transaction('alone', async (records) => {
    await records.scanning.putRegistryScanning(registry, { scanType: 'ENHANCED', rules });
    return records.repositories.insert({
      registry,
      name: repositoryName,
      createdAt: at,
      imageTagMutability: 'MUTABLE',
      exclusionFilters: [],
      scanOnPush: false,
      encryption: { encryptionType: 'AES256' },
      resourceTags: [],
    });
  });
  const { id: repositoryId } = repository!;
  const read = async (layer: Blob, suffix: string) => ({
    digest: layer.digest as Digest,
    bytes: await engine.readLayer({ mediaType: `${mediaTypes.layer}${suffix}`, chunks: onlyOf(layer.bytes) }),
  });
  let shared: PackedInventory | undefined;
  for (let first = 0; first < IMAGES; first += SEEDED_AT_ONCE) {
    const images = Array.from({ length: SEEDED_AT_ONCE }, (_, place) =>
      imageOfFiles([base, { 'var/lib/dpkg/status.d/own': manyPackages(`own-${first + place}`, 10) }]),
    );
    const own = await Promise.all(images.map(({ layers }) => read(layers[1]!, '+zstd')));
    shared ??= await read(images[0]!.layers[0]!, '+gzip');
    const isFirst = first === 0;
    await metadata.transaction('alone', async (records) => {
      for (const [place, { manifest, mediaType, layers }] of images.entries()) {
        const inventories = isFirst && place === 0 ? [shared!, own[place]!] : [own[place]!];
        for (const inventory of inventories) {
          const { digest } = inventory;
          const blob = await records.blobs.insert({
            scope: 'bench',
            digest,
            location: digest,
            bytes: 1,
            createdAt: at,
          });
          await records.layers.insert({ repositoryId, digest, blobId: blob!.id, leaseUntil: at });
          await records.scanning.putInventory(repositoryId, inventory, engine.inventoryFormat);
        }
        const described = layers.map(({ digest }) => ({ digest: digest as Digest, mediaType: mediaTypes.layer }));
        const facts = {
          repositoryId,
          digest: manifest.digest as Digest,
          mediaType,
          manifestBytes: manifest.bytes.length,
        };
        const image = await records.images.insert(
          { ...facts, imageBytes: 2, pushedAt: at },
          manifest.bytes,
          described,
          [],
        );
        const { id: imageId } = image!;
        await records.scanning.start({ imageId, scanType: 'ENHANCED', status: 'ACTIVE', startedAt: at, registry });
      }
    });
  }
}

const SEEDED_AT_ONCE = 200;

async function* onlyOf(bytes: Uint8Array) {
  yield bytes;
}

const RUNS: Readonly<Record<string, () => Promise<void>>> = { time, pushes, again };
for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(RUNS)) await RUNS[name]!();
