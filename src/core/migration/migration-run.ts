import { RefusedError } from '../errors.ts';
import { TransferError } from '../transfer/transfer.ts';
import { UpstreamError } from '../upstreams/upstream.ts';
import type { MigrationPlan, MigrationReport } from './migration-report.ts';
import type { MigrationSource, MigrationTarget } from './places.ts';
import { SettingError } from './settings-place.ts';

export interface MigrationRun {
  readonly source: MigrationSource;
  readonly target: MigrationTarget;
  readonly plan: MigrationPlan;
  readonly report: MigrationReport;
  /** Repositories that were prepared, as the source calls them. */
  readonly names: string[];
}

/** @returns whether it went well; if not, it is among the failures, unless everything was called off */
export async function attempt(run: MigrationRun, subject: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (isAborted(run)) return false;
    if (!isToldInWords(error)) throw error;
    run.report.failures.push({ subject, reason: error.message });
    return false;
  }
}

/** Whether an error says what is wrong with what was asked for; also what the system says of a file. */
export function isToldInWords(error: unknown): error is Error {
  if (error instanceof Error && 'syscall' in error) return true;
  return [TransferError, UpstreamError, RefusedError, SettingError].some((kind) => error instanceof kind);
}

export function isAborted({ plan }: MigrationRun): boolean {
  return plan.signal?.aborted ?? false;
}
