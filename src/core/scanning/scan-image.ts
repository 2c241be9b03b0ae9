import type { CoreDependencies } from '../dependencies.ts';
import { secondsAfter } from '../dependencies.ts';
import { isOfKey, mendsItself } from '../encryption/key-refusals.ts';
import type { Image } from '../images/image-records.ts';
import type { JobPayloads } from '../jobs/job-kinds.ts';
import { createLayers, type StoredLayer } from '../layers/layers.ts';
import type { Repository } from '../repositories/repository-records.ts';
import type { Digest } from '../values/digest.ts';
import { type Descriptor, parseManifest } from '../values/manifest.ts';
import { endScan, outcomeOf, type ScanOutcome } from './end-scan.ts';
import type { ScanEngine } from './scan-engine.ts';
import type { PackedInventory, ScanType } from './scan-records.ts';
import { layersToScan } from './scannable.ts';
import { ScanError } from './scanner.ts';
import { isWaiting } from './start-scan.ts';

type Wanted = JobPayloads['scan-image'];

export interface ScanOptions {
  readonly signal: AbortSignal;
  /** Called once an image's layers are read, with their inventories. */
  readonly onRead?: (image: ReadImage) => Promise<void>;
}

export interface ReadImage {
  readonly repository: Repository;
  readonly image: Image;
  readonly layers: readonly PackedInventory[];
}

/** Reading for a scan is nobody's pull. */
const NOBODY = { kind: 'open', accountId: '', arn: '', userId: '' } as const;

/**
 * The job 'scan-image': reads the layers of an image that were never read, the lowest first, and says what is known of what
 * they hold. Repeatable: what was read is not read again. Nothing happens when the image is gone or was archived.
 *
 * @param signal ends it between two steps; it rejects then
 */
export async function scanImage(
  dependencies: CoreDependencies,
  engine: ScanEngine,
  wanted: Wanted,
  options: ScanOptions,
): Promise<void> {
  const { read } = dependencies.metadata;
  const repository = await read.repositories.findById(wanted.repositoryId);
  const image = repository && (await read.images.find(repository.id, wanted.digest));
  if (!repository || image?.status !== 'ACTIVE') return;
  const scan = await read.scanning.find(image.id, wanted.scanType);
  if (!scan || !isWaiting(scan.status)) return;
  const task = { dependencies, engine, repository, image };
  const outcome = await scanned(task, wanted.scanType, options);
  await endScan(dependencies, wanted, outcome);
}

/** Ends a scan that could not be made, for a reason that is not the image's. */
export async function failScan(dependencies: CoreDependencies, wanted: Wanted, error: unknown): Promise<void> {
  const reason = error instanceof Error ? error.message : String(error);
  await endScan(dependencies, wanted, { status: 'FAILED', description: `The scan failed: ${reason}.` });
}

interface Task {
  readonly dependencies: CoreDependencies;
  readonly engine: ScanEngine;
  readonly repository: Repository;
  readonly image: Image;
}

async function scanned(task: Task, scanType: ScanType, { signal, onRead }: ScanOptions): Promise<ScanOutcome> {
  const { dependencies, engine, repository, image } = task;
  if (scanType === 'BASIC' && (await isOverLimit(dependencies, repository))) return { status: 'LIMIT_EXCEEDED' };
  const stored = await dependencies.metadata.read.images.manifest(repository.id, image.digest);
  const layers = stored ? layersToScan(parseManifest(stored.bytes, image.mediaType)) : 'The manifest is missing';
  if (typeof layers === 'string') return unsupported(layers);
  try {
    // What is not there is said before gigabytes are read for it, but images that are watched need what is read later.
    if (scanType === 'BASIC' && !(await engine.data())) await engine.match([]);
    await readLayers(task, layers, signal);
    const inventories = await inventoriesOf(task, layers);
    if (!inventories) throw new Error('A layer went while the image was being scanned');
    await onRead?.({ repository, image, layers: inventories });
    const matched = await engine.match(inventories);
    if (matched.isEmpty) return unsupported('The image has no operating system and no packages that are known here');
    return outcomeOf(matched);
  } catch (error) {
    // Nothing is gained by trying again until somebody has done something: a scan can be begun again then.
    if (isOfKey(error) && !mendsItself(error))
      return { status: 'FAILED', description: error.message.replace(/\.?$/, '.') };
    if (!(error instanceof ScanError)) throw error;
    if (error.code === 'unsupported-media-type') return unsupported(error.message);
    return { status: 'FAILED', description: `${error.message}.` };
  }
}

function unsupported(reason: string): ScanOutcome {
  return { status: 'UNSUPPORTED_IMAGE', description: `UnsupportedImageError: ${reason}.` };
}

const DAY_SECONDS = 24 * 3600;

/** Pushes are not refused for want of scans. */
async function isOverLimit({ metadata, quotas, now }: CoreDependencies, { registry }: Repository): Promise<boolean> {
  const after = secondsAfter(now(), -DAY_SECONDS);
  return (await metadata.read.scanning.countStarted(registry, 'BASIC', after)) > quotas.limits['scans-per-day'];
}

/** Reads those that no image with them was scanned for before. */
async function readLayers(task: Task, layers: readonly Descriptor[], signal: AbortSignal): Promise<void> {
  const { dependencies, engine, repository } = task;
  const { metadata } = dependencies;
  const opened = createLayers(dependencies);
  const format = engine.inventoryFormat;
  for (const { digest, mediaType } of layers) {
    if ((await metadata.read.scanning.inventoried(repository.id, [digest], format)).length > 0) continue;
    signal.throwIfAborted();
    const call = { caller: NOBODY, registry: repository.registry };
    const layer = await opened.open(call, { repositoryName: repository.name, digest });
    const bytes = await engine.readLayer({ mediaType, chunks: chunksOf(layer) }, signal);
    await metadata.transaction('own-rows', ({ scanning }) =>
      scanning.putInventory(repository.id, { digest, bytes }, format),
    );
  }
}

async function* chunksOf(layer: StoredLayer): AsyncGenerator<Uint8Array> {
  // A range of no bytes is none.
  if (layer.bytes === 0) return;
  await using reader = await layer.read();
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    yield chunk;
    reader.recycle(chunk);
  }
}

/** In the order of the layers. @returns undefined when one was not read, in this format */
export async function inventoriesOf(
  { dependencies, engine, repository }: Omit<Task, 'image'>,
  layers: readonly Descriptor[],
): Promise<PackedInventory[] | undefined> {
  const { scanning } = dependencies.metadata.read;
  const digests = layers.map(({ digest }) => digest);
  const found = await scanning.inventories(repository.id, [...new Set(digests)], engine.inventoryFormat);
  const byDigest = new Map<Digest, PackedInventory>(found.map((inventory) => [inventory.digest, inventory]));
  const inOrder = digests.map((digest) => byDigest.get(digest));
  return inOrder.every((inventory) => inventory !== undefined) ? inOrder : undefined;
}
