import type { CacheCheck } from '../core/caching/cache-check-records.ts';
import type { CacheRule } from '../core/caching/cache-rule-records.ts';
import type { Job } from '../core/jobs/job-kinds.ts';
import type { Reads } from '../core/metadata-store.ts';
import type { Repository } from '../core/repositories/repository-records.ts';
import { isSameRegistry } from '../core/values/registry.ts';
import { openAccessSession } from './access-session.ts';
import { CommandError, type Invocation } from './command-spec.ts';
import { describeTime, say, table } from './output.ts';

const PAGE = 500;

/** `gantry cache refresh REPOSITORY [TAG]` */
export async function refreshCache(invocation: Invocation): Promise<void> {
  const [repositoryName = '', tag] = invocation.operands;
  await using session = await openAccessSession(invocation);
  const { dependencies, accountId, region } = session;
  const { metadata, now } = dependencies;
  const repository = await metadata.read.repositories.find({ accountId, region }, repositoryName);
  if (!repository) throw new CommandError(`There is no repository '${repositoryName}' in ${region}`);
  const checks = await checksOf(metadata.read, repository, tag);
  if (checks.length === 0)
    throw new CommandError(`${repositoryName} has no tag${tag === undefined ? '' : ` ${tag}`} that came from upstream`);
  await metadata.transaction('own-rows', async ({ jobs }) => {
    for (const check of checks) {
      const payload = { repositoryId: repository.id, tag: check.tag };
      await jobs.enqueue({ kind: 'refresh-cached-tag', key: `${repository.id}/${check.tag}`, payload }, now());
    }
  });
  await session.recordChange('RefreshCachedTags', { repositoryName, ...(tag !== undefined && { tag }) });
  const tags = checks.map((check) => check.tag);
  const what = tags.length === 1 ? `the tag ${tags[0]}` : `${tags.length} tags`;
  say(invocation, `The server looks at ${what} upstream now, or as soon as it runs.`, { repositoryName, tags });
}

/** `gantry cache status` */
export async function cacheStatus(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const { accountId, region } = session;
  const { read } = session.dependencies.metadata;
  const registry = { accountId, region };
  const rules = (await read.cacheRules.all()).filter((rule) => isSameRegistry(rule.registry, registry));
  const cached: { repository: Repository; tags: number; checkedAt: Date }[] = [];
  for (const { repositoryId, ...count } of await read.cacheChecks.counts()) {
    const repository = await read.repositories.findById(repositoryId);
    if (repository && isSameRegistry(repository.registry, registry)) cached.push({ repository, ...count });
  }
  const shown = rules.map((rule) => ({ ...ruleView(rule), ...sumOf(cached, rule, rules) }));
  const { waiting = 0, dead = 0 } = (await read.jobs.counts()).find(({ kind }) => kind === 'import-image') ?? {};
  const failed = (await read.jobs.dead('import-image', 0, FAILURES_SHOWN)).flatMap(failureView);
  const lines = [
    ...(shown.length === 0
      ? [`Account ${accountId} has no pull through cache rules in ${region}.`]
      : rulesTable(shown)),
    `Imports of all registries: ${waiting} waiting or under way, ${dead} given up`,
    ...failed.map(({ digest, tag, error }) => `  ${tag ?? digest}: ${error ?? 'for no reason'}`),
  ];
  say(invocation, lines, { rules: shown, imports: { waiting, dead, failed } });
}

const FAILURES_SHOWN = 20;

function failureView({ kind, payload, lastError: error, deadAt: at }: Job) {
  if (kind !== 'import-image') return [];
  const { repositoryId, digest, tag } = payload;
  return [
    {
      repositoryId,
      digest,
      ...(tag !== undefined && { tag }),
      ...(error !== undefined && { error }),
      ...(at && { at }),
    },
  ];
}

async function checksOf({ cacheChecks }: Reads, { id }: Repository, tag: string | undefined): Promise<CacheCheck[]> {
  if (tag !== undefined) return [await cacheChecks.find(id, tag)].filter((check) => check !== undefined);
  const checks: CacheCheck[] = [];
  for (let after = ''; ; ) {
    const page = await cacheChecks.page(id, after, PAGE);
    checks.push(...page);
    const last = page.at(-1);
    if (!last || page.length < PAGE) return checks;
    after = last.tag;
  }
}

function ruleView({ prefix, upstreamPrefix = 'ROOT', upstreamUrl, credentialArn }: CacheRule) {
  return { prefix, upstreamUrl, upstreamPrefix, ...(credentialArn !== undefined && { credentialArn }) };
}

/** Of the repositories that are the rule's, and not one's with a longer prefix. */
function sumOf(
  cached: readonly { repository: Repository; tags: number; checkedAt: Date }[],
  rule: CacheRule,
  rules: readonly CacheRule[],
): { repositories: number; tags: number; checkedAt?: Date } {
  const ours = cached.filter(({ repository }) => ruleOf(rules, repository.name) === rule);
  const last = Math.max(...ours.map(({ checkedAt }) => checkedAt.getTime()));
  const tags = ours.reduce((sum, count) => sum + count.tags, 0);
  return { repositories: ours.length, tags, ...(ours.length > 0 && { checkedAt: new Date(last) }) };
}

function ruleOf(rules: readonly CacheRule[], repositoryName: string): CacheRule | undefined {
  const fitting = rules.filter(({ prefix }) => prefix === 'ROOT' || repositoryName.startsWith(`${prefix}/`));
  const lengthOf = ({ prefix }: CacheRule) => (prefix === 'ROOT' ? 0 : prefix.length);
  return fitting.toSorted((one, other) => lengthOf(other) - lengthOf(one))[0];
}

function rulesTable(rules: readonly (ReturnType<typeof ruleView> & ReturnType<typeof sumOf>)[]): string[] {
  return table(
    ['PREFIX', 'UPSTREAM', 'REPOSITORIES', 'TAGS', 'LAST LOOK'],
    rules.map(({ prefix, upstreamUrl, upstreamPrefix, repositories, tags, checkedAt }) => [
      prefix,
      upstreamPrefix === 'ROOT' ? upstreamUrl : `${upstreamUrl} ${upstreamPrefix}`,
      String(repositories),
      String(tags),
      checkedAt ? describeTime(checkedAt) : 'never',
    ]),
  );
}
