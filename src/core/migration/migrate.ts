import { TransferError } from '../transfer/transfer.ts';
import { isRepositoryName } from '../values/repository-name.ts';
import { bringImages, type ImageTask } from './bring-images.ts';
import { copyRegistrySettings, copyRepositorySettings, type SettingsRun } from './copy-settings.ts';
import type { MigrationPlan, MigrationReport } from './migration-report.ts';
import { attempt, isAborted, type MigrationRun } from './migration-run.ts';
import { hasWildcard, isNamed } from './name-pattern.ts';
import type { MigrationImage, MigrationSource, MigrationTarget } from './places.ts';

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
  const run: MigrationRun = { source, target, plan, report, names: [] };
  const tasks = imagesOf(run);
  try {
    await bringImages(run, tasks);
    if (plan.withSettings && !isAborted(run)) await finishSettings(run);
  } finally {
    await tasks.return(undefined);
    await target.finish?.();
  }
  report.isAborted = isAborted(run);
  return report;
}

/** Everything that is meant, one repository after the other; a repository is prepared before its first image. */
async function* imagesOf(run: MigrationRun): AsyncGenerator<ImageTask> {
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
async function* repositoriesOf(run: MigrationRun): AsyncGenerator<string> {
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

/** What acts on images, or hands them on, comes once they are there. */
async function finishSettings(run: MigrationRun): Promise<void> {
  const { plan, names, source } = run;
  const settings = settingsRun(run);
  for (const name of names) await copyRepositorySettings(settings, name, `${plan.toPrefix}${name}`, 'after');
  const isAll = plan.repositories.length === 0 && plan.toPrefix === '';
  if (isAll) await copyRegistrySettings(settings);
  else if (source.settings)
    run.report.notes.push('Settings of the registry as a whole come with all repositories under their own names only');
}

function settingsRun({ source, target, plan, report }: MigrationRun): SettingsRun {
  return { source, target, isDryRun: plan.isDryRun, report };
}
