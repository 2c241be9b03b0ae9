import type { CoreDependencies } from '../dependencies.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { parseManifest } from '../values/manifest.ts';
import { outcomeOf } from './end-scan.ts';
import type { ScanEngine } from './scan-engine.ts';
import { inventoriesOf } from './scan-image.ts';
import type { EndedScan, RegistryScanning, ScanFrequency, WatchedImage } from './scan-records.ts';
import { layersToScan } from './scannable.ts';
import { frequencyOf } from './scanning-rules.ts';
import { enqueueScan } from './start-scan.ts';

/** Their findings are in memory together, and are written in one short transaction. */
const BATCH = 20;

/**
 * The job 'match-images': matches the images that are scanned continuously against what is known now, and those whose scan
 * came to nothing because nothing was known. No layer is read. Repeatable: an image that was matched is passed over.
 *
 * @param signal ends it between two batches; what was done stays done
 * @returns how many images were matched
 */
export async function matchImages(
  dependencies: CoreDependencies,
  engine: ScanEngine,
  { signal }: { readonly signal: AbortSignal },
): Promise<number> {
  const { metadata } = dependencies;
  const data = await engine.data();
  if (!data) return 0;
  const run: Run = { dependencies, engine, frequencies: new Map() };
  let matched = 0;
  for (const status of ['ACTIVE', 'FAILED'] as const) {
    let after = 0;
    for (;;) {
      signal.throwIfAborted();
      const batch = await metadata.read.scanning.watched(status, after, BATCH);
      const outdated = batch.filter(({ source }) => source !== data.fingerprint);
      matched += await matchBatch(run, outdated);
      if (batch.length < BATCH) break;
      after = batch.at(-1)!.imageId;
    }
  }
  return matched;
}

interface Run {
  readonly dependencies: CoreDependencies;
  readonly engine: ScanEngine;
  readonly frequencies: Map<number, Promise<Covered | undefined>>;
}

/** A repository whose images are looked at, and how often. */
interface Covered {
  readonly repository: Repository;
  readonly frequency: Exclude<ScanFrequency, 'MANUAL'>;
}

async function matchBatch(run: Run, images: readonly WatchedImage[]): Promise<number> {
  const { metadata, now } = run.dependencies;
  const ended = (await Promise.all(images.map((image) => matchOne(run, image)))).filter((one) => one !== undefined);
  if (ended.length === 0) return 0;
  const completedAt = now();
  await metadata.transaction('own-rows', async ({ scanning }) => {
    for (const { result, ...scan } of ended) {
      await scanning.end({ ...scan, ...(result && { result: { ...result, completedAt } }) });
    }
  });
  return ended.length;
}

type Ended = Omit<EndedScan, 'result'> & { readonly result?: Omit<NonNullable<EndedScan['result']>, 'completedAt'> };

async function matchOne(run: Run, { imageId, repositoryId, digest }: WatchedImage): Promise<Ended | undefined> {
  const { dependencies, engine } = run;
  const covered = await coverageOf(run, repositoryId);
  const stored = covered && (await dependencies.metadata.read.images.manifest(repositoryId, digest));
  if (!covered || !stored) return undefined;
  const layers = layersToScan(parseManifest(stored.bytes, stored.mediaType));
  if (typeof layers === 'string') return undefined;
  const inventories = await inventoriesOf({ dependencies, engine, repository: covered.repository }, layers);
  if (!inventories) return readAgain(run, covered, imageId, digest);
  const matched = await engine.match(inventories);
  if (matched.isEmpty) return undefined;
  const outcome = outcomeOf(matched);
  const status = covered.frequency === 'CONTINUOUS_SCAN' ? 'ACTIVE' : 'COMPLETE';
  return { imageId, scanType: 'ENHANCED', ...outcome, status };
}

/** What is kept of its layers is of another format, or they could not be read; those that were are not read again. */
async function readAgain(
  { dependencies }: Run,
  { repository }: Covered,
  imageId: number,
  digest: WatchedImage['digest'],
) {
  const { metadata, now } = dependencies;
  await metadata.transaction('repository', async (records) => {
    const present = await records.repositories.findById(repository.id);
    const image = present && (await records.images.find(present.id, digest));
    const scan = image && (await records.scanning.find(imageId, 'ENHANCED'));
    // A layer that cannot be read will not be better for what is known of others.
    if (!image || scan?.status !== 'ACTIVE') return;
    await enqueueScan(records, { repository: present, at: now() }, image, 'ENHANCED');
  });
  return undefined;
}

async function coverageOf({ dependencies, frequencies }: Run, repositoryId: number): Promise<Covered | undefined> {
  const known = frequencies.get(repositoryId) ?? findCoverage(dependencies, repositoryId);
  frequencies.set(repositoryId, known);
  return known;
}

async function findCoverage({ metadata: { read } }: CoreDependencies, id: number): Promise<Covered | undefined> {
  const repository = await read.repositories.findById(id);
  if (!repository) return undefined;
  const scanning: RegistryScanning = await read.scanning.registryScanning(repository.registry);
  const { frequency } = frequencyOf(scanning, repository);
  return scanning.scanType === 'ENHANCED' && frequency !== 'MANUAL' ? { repository, frequency } : undefined;
}
