import type { Finding } from '../../../core/scanning/finding.ts';
import type { ScanReport } from '../../../core/scanning/scan-engine.ts';
import { unpack } from './pack.ts';

/** What `pack` made of a report: JSON has no times. */
export async function unpackReport(packed: Uint8Array): Promise<ScanReport> {
  const { findings, ...report } = (await unpack(packed)) as ScanReport & { findings: readonly PackedFinding[] };
  return { ...report, findings: findings.map(toFinding) };
}

type PackedFinding = Omit<Finding, 'publishedAt' | 'modifiedAt'> & {
  readonly publishedAt?: string;
  readonly modifiedAt: string;
};

function toFinding({ publishedAt, modifiedAt, ...finding }: PackedFinding): Finding {
  return {
    ...finding,
    ...(publishedAt !== undefined && { publishedAt: new Date(publishedAt) }),
    modifiedAt: new Date(modifiedAt),
  };
}
