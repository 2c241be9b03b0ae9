import type { SeverityCounts } from '../scanning/scan-records.ts';
import { type Registry, repositoryArn } from '../values/registry.ts';
import type { ScanEvent, ScanningEvent } from './registry-event.ts';

/** Inspector tells of the first scan of an image with ENHANCED (ECR user guide, "Enhanced scanning", EventBridge events). */
export function scanDetail(registry: Registry, event: ScanEvent) {
  const { repositoryName, digest, tags, scanType, status, severityCounts } = event;
  const isBasic = scanType === 'BASIC';
  return {
    'scan-status': isBasic || status !== 'COMPLETE' ? status : 'INITIAL_SCAN_COMPLETE',
    'repository-name': isBasic ? repositoryName : repositoryArn(registry, repositoryName),
    'finding-severity-counts': isBasic ? severityCounts : { ...severityCounts, TOTAL: totalOf(severityCounts) },
    'image-digest': digest,
    'image-tags': tags,
  };
}

export function scanningDetail(registry: Registry, event: ScanningEvent) {
  const { repositoryName, scanType, frequency, previous } = event;
  const repository = {
    'repository-name': repositoryName,
    'repository-arn': repositoryArn(registry, repositoryName),
    'scan-frequency': frequency,
    'previous-scan-frequency': previous,
  };
  return {
    'action-type': 'SCAN_FREQUENCY_CHANGE',
    repositories: [repository],
    'resource-type': 'REPOSITORY',
    'scan-type': scanType,
  };
}

function totalOf(counts: SeverityCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
