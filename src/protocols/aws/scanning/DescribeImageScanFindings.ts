import type { ImageScanFindings, ImageScanFindingsSummary } from '@aws-sdk/client-ecr';
import { POSITION_LENGTH } from '../../../core/scanning/finding-order.ts';
import type { ScanResult } from '../../../core/scanning/scan-records.ts';
import type { ScannedImage } from '../../../core/scanning/scanning.ts';
import type { OperationRequest, Output } from '../operation.ts';
import { nextTokenOf, positionIn } from '../paging.ts';
import { basicFinding } from './basic-finding.ts';
import { enhancedFinding } from './enhanced-finding.ts';

const name = 'DescribeImageScanFindings';
const RESULTS_DEFAULT = 100;

/** What the last scan that completed found, the gravest first, in the form of the registry's type of scanning. */
export async function describeImageScanFindings({
  core,
  call,
  input,
}: OperationRequest<typeof name>): Promise<Output<typeof name>> {
  const { repositoryName, imageId } = input;
  const after = positionIn(name, input.nextToken, POSITION_LENGTH);
  const limit = input.maxResults ?? RESULTS_DEFAULT;
  const found = await core.scanning.findings(call, { repositoryName, imageId, limit, ...(after && { after }) });
  return {
    registryId: call.registry.accountId,
    repositoryName,
    imageId: { imageDigest: found.image.digest, imageTag: imageId.imageTag },
    imageScanStatus: { status: found.status, description: found.description },
    imageScanFindings: found.scan.result && findingsView(found, found.scan.result),
    nextToken: nextTokenOf(name, found.next),
  };
}

export function summaryView({ completedAt, sourceUpdatedAt, severityCounts }: ScanResult): ImageScanFindingsSummary {
  return {
    imageScanCompletedAt: completedAt,
    vulnerabilitySourceUpdatedAt: sourceUpdatedAt,
    findingSeverityCounts: { ...severityCounts },
  };
}

function findingsView(scanned: ScannedImage, result: ScanResult): ImageScanFindings {
  const { scan, findings } = scanned;
  if (scan.scanType === 'BASIC') return { ...summaryView(result), findings: findings.map(basicFinding) };
  return {
    ...summaryView(result),
    enhancedFindings: findings.map((finding) => enhancedFinding(finding, scanned, result)),
  };
}
