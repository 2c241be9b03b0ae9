import { coreDependencies, openStores } from '../compose/stores.ts';
import { readAccessCommand } from '../config/access-config.ts';
import { readFolderConfig } from '../config/config.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import { applyLifecycle, type LifecycleReport } from '../core/lifecycle/apply-lifecycle.ts';
import { type ExplainedImage, explainRepository } from '../core/lifecycle/explain-repository.ts';
import { repositoriesWithPolicy } from '../core/lifecycle/start-lifecycle.ts';
import type { Repository } from '../core/repositories/repository-records.ts';
import type { Registry } from '../core/values/registry.ts';
import { CommandError, type Invocation, optionText } from './command-spec.ts';
import { createOperatorTrail } from './operator-trail.ts';
import { describeTime, say, sayList } from './output.ts';
import { createProgressLine } from './progress-line.ts';

/** `gantry lifecycle run [--repository NAME]` */
export async function runLifecycle(invocation: Invocation): Promise<void> {
  const { flags, environment } = invocation;
  const { accountId, region, auditFile } = readAccessCommand(flags, environment);
  const config = readFolderConfig(flags, environment);
  const registry = { accountId, region };
  await using stores = await openStores(config.dataDirectory, { databaseUrl: config.databaseUrl });
  const dependencies = coreDependencies(stores, config);
  const recordChange = createOperatorTrail(auditFile, accountId, dependencies.now, 'ecr.amazonaws.com');
  const reports: LifecycleReport[] = [];
  using progress = createProgressLine();
  for (const { id, name } of await meant(dependencies, registry, optionText(invocation, 'repository'))) {
    const onProgress = (so: LifecycleReport) => progress.show(`${name}: ${describeDone(so)}`);
    const report = await applyLifecycle(dependencies, id, { onProgress });
    if (!report) continue;
    const { expired, transitioned } = report;
    await recordChange('RunLifecyclePolicy', { repositoryName: name, expired, transitioned });
    reports.push(report);
  }
  progress.clear();
  const lines = reports.flatMap((report) => [
    `${report.repository.name}: ${describeDone(report)} of ${count(report.images, 'image')}.`,
    ...describeLeft(report),
  ]);
  const none = `No repository of account ${accountId} in ${region} has a lifecycle policy.`;
  const told = reports.map(({ repository, ...report }) => ({ repositoryName: repository.name, ...report }));
  say(invocation, lines.length === 0 ? none : lines, told);
}

/** `gantry lifecycle explain --repository NAME` */
export async function explainLifecycle(invocation: Invocation): Promise<void> {
  const { flags, environment } = invocation;
  const { dataDirectory, databaseUrl, accountId, region } = readAccessCommand(flags, environment);
  await using stores = await openStores(dataDirectory, { databaseUrl });
  const dependencies = coreDependencies(stores, {});
  const name = optionText(invocation, 'repository') ?? '';
  const repository = await repositoryNamed(dependencies, { accountId, region }, name);
  const explained = await explainRepository(dependencies, repository.id);
  if (!explained) throw withoutPolicy(name);
  const rows = explained.map(({ image, decision, selectedBy, reason }) => ({
    digest: image.digest,
    tags: image.tags,
    pushedAt: image.pushedAt,
    storageClass: image.storageClass,
    outcome: outcomeOf(decision),
    rulePriority: (decision ?? selectedBy[0])?.rulePriority,
    reason,
  }));
  sayList(invocation, rows, {
    headings: ['IMAGE', 'TAGS', 'PUSHED', 'OUTCOME', 'RULE', 'WHY'],
    row: ({ digest, tags, pushedAt, outcome, rulePriority, reason }) => [
      digest.slice(0, SHORT_DIGEST),
      describeTags(tags),
      describeTime(pushedAt),
      outcome,
      String(rulePriority ?? '-'),
      reason,
    ],
    none: `Repository ${name} has no images.`,
  });
}

/** As much of `sha256:…` as tells images of one repository apart. */
const SHORT_DIGEST = 19;
const TAGS_TOLD = 3;

function describeTags(tags: readonly string[]): string {
  if (tags.length === 0) return '-';
  const more = tags.length > TAGS_TOLD ? `, ${tags.length - TAGS_TOLD} more` : '';
  return `${tags.slice(0, TAGS_TOLD).join(', ')}${more}`;
}

function outcomeOf(decision: ExplainedImage['decision']): 'kept' | 'expires' | 'archived' {
  if (!decision) return 'kept';
  return decision.action === 'EXPIRE' ? 'expires' : 'archived';
}

/** Of all repositories of the registry that have a policy, or the one that was named. */
async function meant(
  dependencies: CoreDependencies,
  registry: Registry,
  name: string | undefined,
): Promise<Repository[]> {
  const { read } = dependencies.metadata;
  if (name !== undefined) {
    const repository = await repositoryNamed(dependencies, registry, name);
    if (!(await read.lifecycle.policy(repository.id))) throw withoutPolicy(name);
    return [repository];
  }
  const found: Repository[] = [];
  for await (const ids of repositoriesWithPolicy(dependencies)) {
    for (const id of ids) {
      const repository = await read.repositories.findById(id);
      const isMeant =
        repository?.registry.accountId === registry.accountId && repository.registry.region === registry.region;
      if (repository && isMeant) found.push(repository);
    }
  }
  return found;
}

async function repositoryNamed({ metadata }: CoreDependencies, registry: Registry, name: string): Promise<Repository> {
  const repository = await metadata.read.repositories.find(registry, name);
  if (repository) return repository;
  const { accountId, region } = registry;
  throw new CommandError(
    `Account ${accountId} has no repository ${name} in ${region}; --account and --region name another registry`,
  );
}

function withoutPolicy(name: string): CommandError {
  return new CommandError(
    `Repository ${name} has no lifecycle policy; aws ecr put-lifecycle-policy --repository-name ${name} gives it one`,
  );
}

function describeDone({ expired, transitioned }: LifecycleReport): string {
  return `${expired} expired, ${transitioned} archived`;
}

function describeLeft({ failed, failures, changed }: LifecycleReport): string[] {
  const left: string[] = [];
  if (failed > 0) {
    left.push(`  ${count(failed, 'image')} stayed, since an index lists them; they go once it has gone:`);
    left.push(
      ...failures.slice(0, FAILURES_TOLD).map(({ digest, rulePriority }) => `    ${digest} (rule ${rulePriority})`),
    );
    if (failed > FAILURES_TOLD) left.push(`    and ${failed - FAILURES_TOLD} more`);
  }
  if (changed > 0) left.push(`  ${count(changed, 'image')} changed meanwhile; the next run looks at them anew.`);
  return left;
}

const FAILURES_TOLD = 10;

function count(number: number, noun: string): string {
  return `${number} ${number === 1 ? noun : `${noun}s`}`;
}
