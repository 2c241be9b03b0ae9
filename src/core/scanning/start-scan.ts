import { secondsAfter } from '../dependencies.ts';
import type { Image } from '../images/image-records.ts';
import type { Records } from '../metadata-store.ts';
import type { Repository } from '../repositories/repository-records.ts';
import type { ScanStatus, ScanType } from './scan-records.ts';
import { whyNotScannable } from './scannable.ts';
import { frequencyOf } from './scanning-rules.ts';

interface Moment {
  readonly repository: Repository;
  readonly at: Date;
}

/** "An image can only be scanned once per 24 hours. This limit includes the initial scan on push" (ECR user guide). */
const SCAN_AGAIN_SECONDS = 24 * 3600;

/** Has an image that was pushed scanned when its repository's rules say so, with the transaction of the push. */
export async function startScanOnPush(records: Records, { repository, at }: Moment, image: Image): Promise<void> {
  const scanning = await records.scanning.registryScanning(repository.registry);
  if (frequencyOf(scanning, repository).frequency === 'MANUAL') return;
  // One that gets another tag is the same image.
  if (await wasScanned(records, image, scanning.scanType, at)) return;
  await enqueueScan(records, { repository, at }, image, scanning.scanType);
}

/** Notes that an image is to be scanned, or that it cannot be. */
export async function enqueueScan(
  records: Records,
  { repository, at: startedAt }: Moment,
  image: Image,
  scanType: ScanType,
): Promise<void> {
  const { id: imageId, digest } = image;
  const { registry } = repository;
  const reason = whyNotScannable(image);
  if (reason !== undefined) {
    const description = `UnsupportedImageError: ${reason}.`;
    await records.scanning.start({ imageId, scanType, status: 'UNSUPPORTED_IMAGE', description, startedAt, registry });
    return;
  }
  const status = scanType === 'BASIC' ? 'IN_PROGRESS' : 'PENDING';
  await records.scanning.start({ imageId, scanType, status, startedAt, registry });
  const payload = { repositoryId: repository.id, digest, scanType };
  await records.jobs.enqueue({ kind: 'scan-image', key: `${repository.id}/${digest}/${scanType}`, payload }, startedAt);
}

/** What was scanned before an image was archived no longer counts; it "acts as a newly pushed image" (ECR user guide). */
export async function scanRestored(records: Records, moment: Moment, image: Image): Promise<void> {
  await records.scanning.forget(image.id);
  await startScanOnPush(records, moment, image);
}

/** Whether a scan is under way, or came to something within a day. */
export async function wasScanned(
  records: Pick<Records, 'scanning'>,
  { id }: Image,
  scanType: ScanType,
  at: Date,
): Promise<boolean> {
  const last = await records.scanning.find(id, scanType);
  if (!last) return false;
  if (isWaiting(last.status)) return true;
  // A limit and a failure, for want of a database perhaps, are no scans.
  const isNone = (['FAILED', 'LIMIT_EXCEEDED', 'SCAN_ELIGIBILITY_EXPIRED'] as ScanStatus[]).includes(last.status);
  return !isNone && last.startedAt > secondsAfter(at, -SCAN_AGAIN_SECONDS);
}

/** Whether there is a job that will say more. */
export function isWaiting(status: ScanStatus): boolean {
  return status === 'IN_PROGRESS' || status === 'PENDING';
}
