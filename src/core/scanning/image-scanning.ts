import type { Call } from '../access/caller.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { refuseFailure, resolveImages } from '../images/find-images.ts';
import type { Image } from '../images/image-records.ts';
import type { Reads, Records } from '../metadata-store.ts';
import { findRepository } from '../repositories/find-repository.ts';
import type { Repository } from '../repositories/repository-records.ts';
import type { ImageIdentifier } from '../values/image-reference.ts';
import { parseManifest } from '../values/manifest.ts';
import { pageOfFindings } from './finding-order.ts';
import { imageFacts } from './image-facts.ts';
import { describeScan } from './scan-description.ts';
import type { ScanEngine } from './scan-engine.ts';
import type { ImageScan } from './scan-records.ts';
import { layersToScan, whyNotScannable } from './scannable.ts';
import type { FindingsInput, ScannedImage, Scanning } from './scanning.ts';
import { checkScanning, frequencyOf } from './scanning-rules.ts';
import { enqueueScan, isWaiting, wasScanned } from './start-scan.ts';

export function createScanning(dependencies: CoreDependencies, engine: Pick<ScanEngine, 'unpack'>): Scanning {
  const { metadata, now } = dependencies;
  const { read } = metadata;
  return {
    putScanOnPush: ({ registry }, { repositoryName, scanOnPush }) =>
      metadata.transaction('repository', async (records) => {
        const repository = await findRepository(records, registry, repositoryName);
        await records.repositories.update(repository.id, { scanOnPush });
        return { ...repository, scanOnPush };
      }),

    registry: ({ registry }) => read.scanning.registryScanning(registry),

    async putRegistry({ registry }, scanning) {
      checkScanning(scanning);
      await metadata.transaction('registry', async (records) => {
        const before = await records.scanning.registryScanning(registry);
        await records.scanning.putRegistryScanning(registry, scanning);
        if (before.scanType === 'BASIC' && scanning.scanType === 'BASIC') return;
        await records.jobs.enqueue({ kind: 'follow-scanning', payload: { registry, before } }, now());
      });
    },

    async repositories({ registry }, repositoryNames) {
      const scanning = await read.scanning.registryScanning(registry);
      const found = await read.repositories.findMany(registry, repositoryNames);
      const byName = new Map(found.map((repository) => [repository.name, repository]));
      const inOrder = repositoryNames.map((name) => byName.get(name)).filter((one) => one !== undefined);
      return inOrder.map((repository) => ({ repository, ...frequencyOf(scanning, repository) }));
    },

    start: (call, { repositoryName, imageId }) => startScan(dependencies, call, repositoryName, imageId),

    async findings(call, input) {
      const { repositoryName, imageId } = input;
      const repository = await findRepository(read, call.registry, repositoryName);
      const image = await findImage(read, call, repository, imageId);
      const { scanType } = await read.scanning.registryScanning(call.registry);
      const scan = await read.scanning.find(image.id, scanType);
      const registryId = call.registry.accountId;
      if (!scan) return refuse({ kind: 'scan-not-found', imageId, repositoryName, registryId });
      if (image.status !== 'ACTIVE') {
        const { result: _, ...without } = scan;
        const description = 'The image is archived: its findings are made anew when it is restored.';
        return { repository, image, scan: without, status: 'IMAGE_ARCHIVED', description, findings: [] };
      }
      const facts =
        scanType === 'ENHANCED' && scan.result ? await imageFacts(dependencies, repository, image) : undefined;
      return { repository, image, ...(facts && { facts }), ...(await reportOf(read, engine, scan, input)) };
    },

    async summaries({ registry }, images) {
      const { scanType } = await read.scanning.registryScanning(registry);
      if (scanType === 'BASIC' || images.length === 0) return new Map();
      const ids = images.map(({ id }) => id);
      const scans = await read.scanning.findMany(ids, scanType);
      return new Map(scans.map((scan) => [scan.imageId, scan]));
    },
  };
}

const DAY_SECONDS = 24 * 3600;

async function startScan(
  { metadata, now, quotas, settings }: CoreDependencies,
  call: Call,
  repositoryName: string,
  imageId: ImageIdentifier,
): Promise<{ digest: string }> {
  const at = now();
  return metadata.transaction('repository', async (records) => {
    const repository = await findRepository(records, call.registry, repositoryName);
    const image = await findImage(records, call, repository, imageId);
    const { scanType } = await records.scanning.registryScanning(call.registry);
    if (scanType === 'ENHANCED') refuse({ kind: 'scanning-disabled', reason: DISABLED });
    if (image.status !== 'ACTIVE') {
      const registryId = call.registry.accountId;
      refuse({ kind: 'image-archived', imageId, status: image.status, repositoryName, registryId });
    }
    await requireScannable(records, image);
    const last = await records.scanning.find(image.id, scanType);
    const isUnderWay = last !== undefined && isWaiting(last.status);
    if (settings.limitsScans && (await wasScanned(records, image, scanType, at))) {
      refuse({ kind: 'limit-exceeded', reason: 'The scan quota per image has been exceeded. Wait and try again.' });
    }
    if (isUnderWay) return { digest: image.digest };
    await quotas.admitScan(records, call.registry, secondsAfter(at, -DAY_SECONDS));
    await enqueueScan(records, { repository, at }, image, scanType);
    return { digest: image.digest };
  });
}

/** ECR's words, and why. */
const DISABLED =
  'This feature is disabled: the scan type of the registry is ENHANCED, which scans images by its rules and not on request';

async function requireScannable(records: Records, image: Image): Promise<void> {
  const reason = whyNotScannable(image) ?? (await whyNotLayers(records, image));
  if (reason !== undefined) refuse({ kind: 'unsupported-image-type', reason });
}

async function whyNotLayers(records: Records, { repositoryId, digest, mediaType }: Image): Promise<string | undefined> {
  const stored = await records.images.manifest(repositoryId, digest);
  const layers = stored && layersToScan(parseManifest(stored.bytes, mediaType));
  return typeof layers === 'string' ? layers : undefined;
}

async function findImage(
  records: Pick<Reads, 'images'>,
  call: Call,
  repository: Repository,
  imageId: ImageIdentifier,
): Promise<ScannedImage['image']> {
  const [resolved] = await resolveImages(records, repository, [imageId]);
  if (!resolved) throw new Error('An image id was not resolved');
  if ('code' in resolved) return refuseFailure(call, repository.name, resolved, 'imageId');
  return resolved.image;
}

/** The findings of the last scan that completed are shown whatever the present one comes to. */
async function reportOf(
  read: Reads,
  engine: Pick<ScanEngine, 'unpack'>,
  scan: ImageScan,
  { after, limit }: FindingsInput,
): Promise<Omit<ScannedImage, 'repository' | 'image'>> {
  const { imageId, scanType, status } = scan;
  const description = describeScan(scan);
  const packed = scan.result && (await read.scanning.findings(imageId, scanType));
  if (!packed) return { scan, status, description, findings: [] };
  const { platform, findings } = await engine.unpack(packed);
  return { scan, status, description, ...(platform && { platform }), ...pageOfFindings(findings, after, limit) };
}
