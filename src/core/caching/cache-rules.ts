import type { Call } from '../access/caller.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { RefusedError, refuse } from '../errors.ts';
import { refuseOverQuota } from '../quotas/quotas.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { UpstreamError } from '../upstreams/upstream.ts';
import { splitPage } from '../values/page.ts';
import type { Registry } from '../values/registry.ts';
import type { CacheRule } from './cache-rule-records.ts';
import type { CacheUpstreams } from './cache-upstreams.ts';
import { isSecretFor, upstreamKindOf } from './known-upstreams.ts';
import type { RuleTable } from './rule-table.ts';

/** Rules of a registry's pull-through cache, by prefix; a slash at the end of a prefix means nothing. */
export interface CacheRules {
  /**
   * Refuses with cache-rule-already-exists, unsupported-upstream, limit-exceeded, invalid-parameter, and as `Secrets.open`
   * does.
   */
  create(call: Call, input: NewCacheRule): Promise<CacheRule>;
  /** Changes credentials and leaves the rest. Refuses with cache-rule-not-found, invalid-parameter, and as `Secrets.open` does. */
  update(
    call: Call,
    input: Pick<CacheRule, 'prefix'> & Partial<Pick<CacheRule, 'credentialArn' | 'customRoleArn'>>,
  ): Promise<CacheRule>;
  /** Refuses with cache-rule-not-found; what was cached stays. @returns what was deleted */
  delete(call: Call, prefix: string): Promise<CacheRule>;
  /** Refuses with cache-rule-not-found when one of the prefixes has none. */
  getMany(call: Call, prefixes: readonly string[]): Promise<CacheRule[]>;
  /** In the order of prefixes, after one (empty: from the start). */
  list(call: Call, page: { after: string; limit: number }): Promise<{ rules: CacheRule[]; next?: string }>;
  /** Logs in at the upstream. Refuses with cache-rule-not-found. @returns with why it did not go well */
  validate(call: Call, prefix: string): Promise<{ rule: CacheRule; failure?: string }>;
}

export type NewCacheRule = Pick<CacheRule, 'prefix' | 'upstreamUrl'> &
  Partial<Pick<CacheRule, 'upstreamPrefix' | 'upstreamKind' | 'credentialArn' | 'customRoleArn'>>;

export function createCacheRules(
  { metadata, now, quotas: { limits } }: Pick<CoreDependencies, 'metadata' | 'now' | 'quotas'>,
  { secrets, table, upstreams }: { secrets: Secrets; table: RuleTable; upstreams: CacheUpstreams },
): CacheRules {
  const find = async ({ registry }: Call, prefix: string) =>
    (await metadata.read.cacheRules.find(registry, trimmed(prefix))) ?? refuseMissing(registry, prefix);

  const checkSecret = async (rule: CacheRule) => {
    const { registry, credentialArn } = rule;
    if (credentialArn === undefined || isSecretFor(rule, await secrets.open(registry, credentialArn))) return;
    const constraint = 'must be of a secret for the host of upstreamRegistryUrl';
    refuse({ kind: 'invalid-parameter', parameter: 'credentialArn', constraint });
  };

  return {
    async create({ registry }, { prefix: given, upstreamPrefix, upstreamKind, ...input }) {
      const at = now();
      const kind = upstreamKindOf({ ...input, ...(upstreamKind && { upstreamKind }) });
      const prefixes = {
        prefix: trimmed(given),
        ...(upstreamPrefix !== undefined && { upstreamPrefix: trimmed(upstreamPrefix) }),
      };
      const times = { createdAt: at, updatedAt: at };
      const rule = { registry, ...prefixes, ...input, ...(kind && { upstreamKind: kind }), ...times };
      checkPrefixes(rule);
      checkRole(rule);
      await checkSecret(rule);
      await metadata.transaction('registry', async ({ cacheRules }) => {
        if (await cacheRules.find(registry, rule.prefix)) {
          refuse({ kind: 'cache-rule-already-exists', prefix: rule.prefix, registryId: registry.accountId });
        }
        const limit = limits['pull-through-cache-rules'];
        if ((await cacheRules.page(registry, '', limit)).length >= limit) {
          const subject = `The registry with id '${registry.accountId}' can have`;
          refuseOverQuota(limits, 'pull-through-cache-rules', subject, 'pull through cache rules');
        }
        await cacheRules.put(rule);
      });
      table.forget();
      return rule;
    },

    async update(call, { prefix, ...changes }) {
      const { registry } = call;
      const before = await find(call, prefix);
      checkRole({ ...before, ...changes });
      if (changes.credentialArn !== undefined) await checkSecret({ ...before, ...changes });
      const changed = await metadata.transaction('registry', async ({ cacheRules }) => {
        const present = (await cacheRules.find(registry, before.prefix)) ?? refuseMissing(registry, prefix);
        const rule = { ...present, ...changes, updatedAt: now() };
        await cacheRules.put(rule);
        return rule;
      });
      table.forget();
      return changed;
    },

    async delete({ registry }, prefix) {
      const deleted = await metadata.transaction('registry', async ({ cacheRules }) => {
        const present = (await cacheRules.find(registry, trimmed(prefix))) ?? refuseMissing(registry, prefix);
        await cacheRules.delete(registry, present.prefix);
        return present;
      });
      table.forget();
      return deleted;
    },

    getMany: (call, prefixes) => Promise.all([...new Set(prefixes.map(trimmed))].map((prefix) => find(call, prefix))),

    async list({ registry }, { after, limit }) {
      const found = await metadata.read.cacheRules.page(registry, after, limit + 1);
      const { items, last } = splitPage(found, limit);
      return { rules: items, ...(last && { next: last.prefix }) };
    },

    async validate(call, prefix) {
      const rule = await find(call, prefix);
      try {
        await upstreams.of(rule).logIn();
        return { rule };
      } catch (error) {
        if (!(error instanceof UpstreamError) && !(error instanceof RefusedError)) throw error;
        return { rule, failure: error.message };
      }
    },
  };
}

/** "There is always an assumed / applied to the end of the prefix" (ECR API reference). */
function trimmed(prefix: string): string {
  return prefix.replace(/\/$/, '');
}

/** "You can only set a upstream repository prefix when the cache repository prefix is not ROOT" (ECR user guide). */
function checkPrefixes({ prefix, upstreamPrefix = 'ROOT' }: CacheRule): void {
  if (prefix !== 'ROOT' || upstreamPrefix === 'ROOT') return;
  const constraint = 'must be ROOT when ecrRepositoryPrefix is ROOT';
  refuse({ kind: 'invalid-parameter', parameter: 'upstreamRepositoryPrefix', constraint });
}

/** Roles are for the registries of other AWS accounts. */
function checkRole({ customRoleArn, upstreamKind }: CacheRule): void {
  if (customRoleArn === undefined || upstreamKind === 'ecr') return;
  const constraint = 'must be null unless the upstream registry is ecr';
  refuse({ kind: 'invalid-parameter', parameter: 'customRoleArn', constraint });
}

function refuseMissing({ accountId }: Registry, prefix: string): never {
  return refuse({ kind: 'cache-rule-not-found', prefix, registryId: accountId });
}
