import { RefusedError } from '../core/errors.ts';
import { migrate } from '../core/migration/migrate.ts';
import type { MigrationPlan, MigrationReport } from '../core/migration/migration-report.ts';
import type { MigrationSource, MigrationTarget } from '../core/migration/places.ts';
import { SettingError } from '../core/migration/settings-place.ts';
import { TransferError } from '../core/transfer/transfer.ts';
import { UpstreamError } from '../core/upstreams/upstream.ts';
import { CommandError, type Invocation, isOn, optionText, optionTexts } from './command-spec.ts';
import { say } from './output.ts';
import { createProgressLine, describeBytes } from './progress-line.ts';

const CONCURRENCY_DEFAULT = 4;
const CONCURRENCY_MAX = 64;

export type GivenPlan = Omit<MigrationPlan, 'signal' | 'onProgress'>;

export function readPlan(invocation: Invocation): GivenPlan {
  const concurrency = Number(optionText(invocation, 'concurrency') ?? CONCURRENCY_DEFAULT);
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > CONCURRENCY_MAX) {
    throw new CommandError(`--concurrency must be a number from 1 to ${CONCURRENCY_MAX}`);
  }
  return {
    repositories: optionTexts(invocation, 'repositories'),
    tags: optionTexts(invocation, 'tags'),
    toPrefix: prefixOf(optionText(invocation, 'to-prefix')),
    withSettings: isOn(invocation, 'with-settings'),
    isDryRun: isOn(invocation, 'dry-run'),
    concurrency,
  };
}

/** Migrates, tells what came of it, and sets exit status 1 when anything failed or was left. */
export async function runMigration(
  invocation: Invocation,
  { source, target }: { readonly source: MigrationSource; readonly target: MigrationTarget },
  plan: GivenPlan,
): Promise<MigrationReport> {
  if (plan.withSettings) refuseWithoutSettings(source, target);
  const stop = new AbortController();
  const abort = () => stop.abort();
  process.once('SIGINT', abort).once('SIGTERM', abort);
  using progress = createProgressLine();
  try {
    const onProgress = (so: MigrationReport) => progress.show(describeProgress(so));
    const report = await toldInWords(migrate(source, target, { ...plan, signal: stop.signal, onProgress }));
    progress.clear();
    say(invocation, linesOf(report, plan, source.name, target.name), report);
    if (report.failures.length > 0 || report.isAborted) process.exitCode = 1;
    return report;
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
  }
}

/** What a place says about itself is told as it is. */
export async function toldInWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const isTold = [TransferError, UpstreamError, RefusedError, SettingError].some((kind) => error instanceof kind);
    if (!isTold && !(error instanceof Error && 'syscall' in error)) throw error;
    throw new CommandError((error as Error).message);
  }
}

/** `team` and `team/` are one. */
function prefixOf(text: string | undefined): string {
  if (text === undefined || text === '') return '';
  return text.endsWith('/') ? text : `${text}/`;
}

function refuseWithoutSettings(source: MigrationSource, target: MigrationTarget): void {
  const without = [source, target].find(({ settings }) => !settings);
  if (without)
    throw new CommandError(`${without.name} has no settings; --with-settings is for registries with the ECR API`);
}

function describeProgress({ images, passedBytes, repositories }: MigrationReport): string {
  const { copied, present, failed } = images;
  return `${repositories} repositories: ${copied} images copied, ${present} there already, ${failed} failed; ${describeBytes(passedBytes)}`;
}

function linesOf(report: MigrationReport, { isDryRun, withSettings }: GivenPlan, from: string, to: string): string[] {
  const { images, blobs, settings, repositories, storedBytes } = report;
  const [would, sent] = isDryRun ? ['Would copy', 'at most'] : ['Copied', 'sent'];
  const shared = `${blobs.present} were in their repository already, ${blobs.shared} elsewhere in the registry`;
  const lines = [
    `${would} ${count(images.copied, 'image')} of ${count(repositories, 'repository', 'repositories')} from ${from} to ${to}; ` +
      `${images.present} were there already, ${images.failed} failed.`,
    `${count(blobs.stored, 'layer')} and configs ${sent} (${describeBytes(storedBytes)})${isDryRun ? '' : `; ${shared}`}.`,
  ];
  if (withSettings) {
    const put = isDryRun ? 'would be put' : 'put';
    lines.push(`Settings: ${settings.put} ${put}, ${settings.present} were so already, ${settings.failed} failed.`);
  }
  lines.push(...report.notes.map((note) => `Note: ${note}`));
  lines.push(...report.failures.map(({ subject, reason }) => `Failed: ${subject}: ${reason}`));
  if (report.isAborted) lines.push('It was broken off; the same command goes on where it stands.');
  return lines;
}

function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}
