import type { ImageScan, ScanStatus } from './scan-records.ts';

/** What a scan's status says in a sentence, in ECR's words where they are known. */
export function describeScan({ status, description }: Pick<ImageScan, 'status' | 'description'>): string {
  return description ?? DESCRIPTIONS[status];
}

const DESCRIPTIONS: Readonly<Record<ScanStatus, string>> = {
  IN_PROGRESS: 'The scan is in progress.',
  PENDING: 'The scan is pending.',
  COMPLETE: 'The scan was completed successfully.',
  ACTIVE: 'Continuous scan is selected for image.',
  FAILED: 'The scan failed.',
  UNSUPPORTED_IMAGE: 'The image is not supported.',
  SCAN_ELIGIBILITY_EXPIRED: 'The image was pushed too long before enhanced scanning began.',
  LIMIT_EXCEEDED: 'The scan quota of the registry has been exceeded.',
};
