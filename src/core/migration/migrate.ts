import { RefusedError } from '../errors.ts';
import { type CopyStep, copyImage } from '../transfer/copy-image.ts';
import { TransferError } from '../transfer/transfer.ts';
import { UpstreamError } from '../upstreams/upstream.ts';
import { isRepositoryName } from '../values/repository-name.ts';
import { copyRegistrySettings, copyRepositorySettings, type SettingsRun } from './copy-settings.ts';
import { lookAhead } from './look-ahead.ts';
import type { MigrationPlan, MigrationReport } from './migration-report.ts';
import { hasWildcard, isNamed } from './name-pattern.ts';
import type { MigrationImage, MigrationSource, MigrationTarget } from './places.ts';
import { SettingError } from './settings-place.ts';

/**
 * Takes images from one place to another, byte for byte, with what they list and what refers to them. What is there with the same
 * digest is not sent again, so that a run which was broken off is gone on with by the next. One image that fails does not end
 * the others. Rejects only with what is nobody's refusal.
 */
export async function migrate(
  source: MigrationSource,
  target: MigrationTarget,
  plan: MigrationPlan,
): Promise<MigrationReport> {
  const report: MigrationReport = {
    repositories: 0,
    images: { copied: 0, present: 0, failed: 0 },
    blobs: { present: 0, shared: 0, stored: 0 },
    storedBytes: 0,
    passedBytes: 0,
    settings: { put: 0, present: 0, failed: 0 },
    failures: [],
    notes: [],
    isAborted: false,
  };
  const run: Run = { source, target, plan, report, names: [], counted: new Set() };
  const tasks = imagesOf(run);
  try {
    const ended = await Promise.allSettled(Array.from({ length: plan.concurrency }, () => workOff(run, tasks)));
    for (const each of ended) if (each.status === 'rejected') throw each.reason;
    if (plan.withSettings && !isAborted(run)) await finishSettings(run);
  } finally {
    await tasks.return(undefined);
    await target.finish?.();
  }
  report.isAborted = isAborted(run);
  return report;
}

interface Run {
  readonly source: MigrationSource;
  readonly target: MigrationTarget;
  readonly plan: MigrationPlan;
  readonly report: MigrationReport;
  /** Repositories that were prepared, as the source calls them. */
  readonly names: string[];
  /** Digests that a dry run has counted. */
  readonly counted: Set<string>;
}

interface Task {
  readonly repositoryName: string;
  readonly targetName: string;
  readonly image: MigrationImage;
}

/** Several take from it, each the next one. */
async function workOff(run: Run, tasks: AsyncGenerator<Task>): Promise<void> {
  for (let next = await tasks.next(); !next.done; next = await tasks.next()) {
    if (isAborted(run)) return;
    const { repositoryName, image } = next.value;
    const subject = `${repositoryName}${image.tag === undefined ? '@' : ':'}${image.reference}`;
    const isDone = await attempt(run, subject, () => bring(run, next.value as Task));
    if (!isDone && !isAborted(run)) run.report.images.failed += 1;
    run.plan.onProgress?.(run.report);
  }
}

/** Everything that is meant, one repository after the other; a repository is prepared before its first image. */
async function* imagesOf(run: Run): AsyncGenerator<Task> {
  const { source, target, plan, report } = run;
  const { signal } = plan;
  for await (const repositoryName of repositoriesOf(run)) {
    if (isAborted(run)) return;
    const targetName = `${plan.toPrefix}${repositoryName}`;
    let isPrepared = false;
    const prepare = async () => {
      if (isPrepared) return;
      isPrepared = true;
      if (!isRepositoryName(targetName))
        throw new TransferError('invalid', `'${targetName}' is no name of a repository`);
      run.names.push(repositoryName);
      report.repositories += 1;
      if (plan.withSettings) await copyRepositorySettings(settingsRun(run), repositoryName, targetName, 'before');
      if (!plan.isDryRun) await target.prepare(targetName, { signal });
    };
    const images = source.images(repositoryName, { signal })[Symbol.asyncIterator]();
    try {
      if (plan.withSettings && !(await attempt(run, repositoryName, prepare))) continue;
      for (;;) {
        let found: IteratorResult<MigrationImage> | undefined;
        const isRead = await attempt(run, repositoryName, async () => {
          do found = await images.next();
          while (!found.done && !isMeant(plan, found.value));
          if (!found.done) await prepare();
        });
        if (!isRead || !found || found.done) break;
        yield { repositoryName, targetName, image: found.value };
      }
    } finally {
      await images.return?.();
    }
  }
}

function isMeant({ tags }: MigrationPlan, { tag }: MigrationImage): boolean {
  return tags.length === 0 || (tag !== undefined && isNamed(tags, tag));
}

/** Names that have no wildcard need no list, which not every registry gives. */
async function* repositoriesOf(run: Run): AsyncGenerator<string> {
  const { source, plan } = run;
  const { repositories: patterns, signal } = plan;
  if (patterns.length > 0 && !patterns.some(hasWildcard)) {
    yield* new Set(patterns);
    return;
  }
  const listed = source.repositories({ signal })[Symbol.asyncIterator]();
  for (;;) {
    let found: IteratorResult<string> | undefined;
    const isRead = await attempt(run, `the repositories of ${source.name}`, async () => {
      found = await listed.next();
    });
    if (!isRead || !found || found.done) return;
    if (isNamed(patterns, found.value)) yield found.value;
  }
}

async function bring(run: Run, task: Task): Promise<void> {
  const { source, target, plan, report } = run;
  const { repositoryName, targetName, image } = task;
  const [from, to] = [source.repository(repositoryName), target.repository(targetName)];
  if (plan.isDryRun) return lookAhead(from, to, image, { report, counted: run.counted, signal: plan.signal });
  const copied = await copyImage(from, to, image, {
    withReferrers: true,
    signal: plan.signal,
    onProgress: (step) => notice(run, step),
  });
  if (image.tag !== undefined && !copied.isTagged) {
    throw new TransferError(
      'invalid',
      `The image ${copied.digest} is there, but the tag is immutable and on another one`,
    );
  }
  report.images[copied.manifests.stored > 0 ? 'copied' : 'present'] += 1;
}

function notice({ report, plan }: Run, step: CopyStep): void {
  if (step.kind === 'bytes') report.passedBytes += step.bytes;
  if (step.kind === 'blob') {
    report.blobs[step.outcome] += 1;
    if (step.outcome === 'stored') report.storedBytes += step.bytes;
  }
  plan.onProgress?.(report);
}

/** What acts on images, or hands them on, comes once they are there. */
async function finishSettings(run: Run): Promise<void> {
  const { plan, names, source } = run;
  const settings = settingsRun(run);
  for (const name of names) await copyRepositorySettings(settings, name, `${plan.toPrefix}${name}`, 'after');
  const isAll = plan.repositories.length === 0 && plan.toPrefix === '';
  if (isAll) await copyRegistrySettings(settings);
  else if (source.settings)
    run.report.notes.push('Settings of the registry as a whole come with all repositories under their own names only');
}

function settingsRun({ source, target, plan, report }: Run): SettingsRun {
  return { source, target, isDryRun: plan.isDryRun, report };
}

/** @returns whether it went well; if not, it is among the failures, unless everything was called off */
async function attempt(run: Run, subject: string, work: () => Promise<void>): Promise<boolean> {
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

/** Also what the system says of a file. */
function isToldInWords(error: unknown): error is Error {
  if (error instanceof Error && 'syscall' in error) return true;
  return [TransferError, UpstreamError, RefusedError, SettingError].some((kind) => error instanceof kind);
}

function isAborted({ plan }: Run): boolean {
  return plan.signal?.aborted ?? false;
}
