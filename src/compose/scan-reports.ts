import type { ScanEngine } from '../core/scanning/scan-engine.ts';
import { unpackReport } from '../drivers/scanners/builtin/unpack-report.ts';

/** For who reads findings and scans nothing: no thread stands behind it. */
export const scanReports: Pick<ScanEngine, 'unpack'> = { unpack: unpackReport };
