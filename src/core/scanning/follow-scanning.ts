import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { announceAll } from '../events/announce.ts';
import type { ScanningEvent } from '../events/registry-event.ts';
import type { TaggedImage } from '../images/image-records.ts';
import type { JobPayloads } from '../jobs/job-kinds.ts';
import type { Records } from '../metadata-store.ts';
import type { Repository } from '../repositories/repository-records.ts';
import type { ImageScan, RegistryScanning, ScanFrequency, ScanStatus } from './scan-records.ts';
import { frequencyOf } from './scanning-rules.ts';
import { enqueueScan } from './start-scan.ts';

const REPOSITORIES_PAGE = 100;
const IMAGES_PAGE = 50;

/** "Amazon Inspector … only images pushed to Amazon ECR within the last 14 days" (ECR user guide, "Enhanced scanning"). */
const ELIGIBLE_SECONDS = 14 * 24 * 3600;

/**
 * The job 'follow-scanning': tells of repositories that are scanned at other times since a registry's configuration was put,
 * and begins to scan the images of those that are scanned with ENHANCED now. Repeatable, except that it tells twice.
 *
 * @param signal ends it between two steps; what was done stays done
 */
export async function followScanning(
  dependencies: CoreDependencies,
  { registry, before }: JobPayloads['follow-scanning'],
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const { metadata, now } = dependencies;
  const scanning = await metadata.read.scanning.registryScanning(registry);
  let after = '';
  for (;;) {
    const page = await metadata.read.repositories.page(registry, after, REPOSITORIES_PAGE);
    const events = page.flatMap((repository) => changeOf(repository, before, scanning));
    await metadata.transaction('own-rows', (records) => announceAll(records, registry, events, now()));
    for (const repository of page) await coverImages(dependencies, repository, scanning, signal);
    if (page.length < REPOSITORIES_PAGE) break;
    after = page.at(-1)!.name;
  }
  await metadata.transaction('own-rows', ({ jobs }) =>
    jobs.enqueue({ kind: 'match-images', key: 'all', payload: {} }, now()),
  );
}

function changeOf(repository: Repository, before: RegistryScanning, after: RegistryScanning): ScanningEvent[] {
  const previous = frequencyOf(before, repository).frequency;
  const { frequency } = frequencyOf(after, repository);
  if (frequency === previous) return [];
  const { scanType } = after;
  return [{ kind: 'scanning-changed', repositoryName: repository.name, scanType, frequency, previous }];
}

async function coverImages(
  { metadata, now }: CoreDependencies,
  repository: Repository,
  scanning: RegistryScanning,
  signal: AbortSignal,
): Promise<void> {
  const { frequency } = frequencyOf(scanning, repository);
  if (scanning.scanType !== 'ENHANCED' || frequency === 'MANUAL') return;
  let after = '';
  for (;;) {
    signal.throwIfAborted();
    const filter = { tagStatus: 'ANY', imageStatus: 'ACTIVE' } as const;
    const page = await metadata.read.images.page(repository.id, filter, after, IMAGES_PAGE);
    await metadata.transaction('repository', async (records) => {
      const present = await records.repositories.findById(repository.id);
      if (!present) return;
      const ids = page.map(({ id }) => id);
      const scans = new Map((await records.scanning.findMany(ids, 'ENHANCED')).map((scan) => [scan.imageId, scan]));
      const moment = { repository: present, at: now() };
      for (const image of page) await cover(records, moment, image, scans.get(image.id), frequency);
    });
    if (page.length < IMAGES_PAGE) return;
    after = page.at(-1)!.digest;
  }
}

/** One with results of old goes on with them: it is matched again, not read. */
async function cover(
  records: Records,
  moment: { readonly repository: Repository; readonly at: Date },
  image: TaggedImage,
  scan: ImageScan | undefined,
  frequency: ScanFrequency,
): Promise<void> {
  const { repository, at: startedAt } = moment;
  const { registry } = repository;
  if (!scan) {
    if (image.pushedAt >= secondsAfter(startedAt, -ELIGIBLE_SECONDS)) {
      return enqueueScan(records, moment, image, 'ENHANCED');
    }
    const status = 'SCAN_ELIGIBILITY_EXPIRED';
    return records.scanning.start({ imageId: image.id, scanType: 'ENHANCED', status, startedAt, registry });
  }
  const status: ScanStatus = frequency === 'CONTINUOUS_SCAN' ? 'ACTIVE' : 'COMPLETE';
  if (scan.status === status || (scan.status !== 'ACTIVE' && scan.status !== 'COMPLETE')) return;
  const { description } = scan;
  const same = { imageId: image.id, scanType: 'ENHANCED', status } as const;
  await records.scanning.end({ ...same, ...(description !== undefined && { description }) });
}
