import type { CoreDependencies } from '../dependencies.ts';
import type { Registry } from '../values/registry.ts';
import type { CacheRule } from './cache-rule-records.ts';

/** Rules in memory, so that a pull which none is about costs no more than without any. */
export interface RuleTable {
  /** The rule for a repository: the one with the longest prefix, at last `ROOT`. */
  find(registry: Registry, repositoryName: string): Promise<CacheRule | undefined>;
  /** Called after a change that must count at once. */
  forget(): void;
}

/** A change that another process made counts after so long. */
const FRESH_MS = 1000;

export function createRuleTable({ metadata, now }: Pick<CoreDependencies, 'metadata' | 'now'>): RuleTable {
  /** By registry, the longest prefix first. */
  let rules: ReadonlyMap<string, readonly CacheRule[]> = new Map();
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  const read = async () => {
    const startedAt = now().getTime();
    const all = await metadata.read.cacheRules.all();
    rules = Map.groupBy(all.sort(byLengthOfPrefix), ({ registry }) => keyOf(registry));
    readAt = startedAt;
  };

  return {
    async find(registry, repositoryName) {
      if (Math.abs(now().getTime() - readAt) >= FRESH_MS) {
        reading ??= read().finally(() => {
          reading = undefined;
        });
        await reading;
      }
      return rules.get(keyOf(registry))?.find((rule) => covers(rule, repositoryName));
    },
    forget() {
      readAt = Number.NEGATIVE_INFINITY;
      reading = undefined;
    },
  };
}

/** The name that a repository of the rule has upstream (ECR user guide, "Repository prefixes in pull through cache"). */
export function upstreamNameOf({ prefix, upstreamPrefix = 'ROOT' }: CacheRule, repositoryName: string): string {
  const rest = prefix === 'ROOT' ? repositoryName : repositoryName.slice(prefix.length + 1);
  return upstreamPrefix === 'ROOT' ? rest : `${upstreamPrefix}/${rest}`;
}

function covers({ prefix }: CacheRule, repositoryName: string): boolean {
  return prefix === 'ROOT' || repositoryName.startsWith(`${prefix}/`);
}

function byLengthOfPrefix(one: CacheRule, other: CacheRule): number {
  const lengthOf = ({ prefix }: CacheRule) => (prefix === 'ROOT' ? 0 : prefix.length);
  return lengthOf(other) - lengthOf(one);
}

function keyOf({ accountId, region }: Registry): string {
  return `${accountId}/${region}`;
}
