import type { Call } from '../access/caller.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { refuseOverQuota } from '../quotas/quotas.ts';
import { splitPage } from '../values/page.ts';
import type { PullTimeExclusion } from './pull-time-records.ts';

/**
 * Principals of a registry whose pulls do not count as use of an image, such as scanners. They need not exist: an ARN of
 * another account's role may be meant. They count from the next time that pulls are recorded.
 */
export interface PullTimeExclusions {
  /** Refuses with exclusion-already-exists, limit-exceeded. */
  register(call: Call, principalArn: string): Promise<PullTimeExclusion>;
  /** Refuses with exclusion-not-found. */
  deregister(call: Call, principalArn: string): Promise<void>;
  /** In the order of ARNs, after an ARN (empty: from the start). `next` is the last ARN when there are more. */
  list(call: Call, page: { after: string; limit: number }): Promise<{ principalArns: string[]; next?: string }>;
}

export function createPullTimeExclusions({
  metadata,
  now,
  quotas: { limits },
}: Pick<CoreDependencies, 'metadata' | 'now' | 'quotas'>): PullTimeExclusions {
  return {
    async register({ registry }, principalArn) {
      const exclusion = { principalArn, createdAt: now() };
      await metadata.transaction('registry', async ({ pullTimes }) => {
        if (!(await pullTimes.insertExclusion(registry, exclusion))) {
          refuse({ kind: 'exclusion-already-exists', principalArn, registryId: registry.accountId });
        }
        if ((await pullTimes.countExclusions(registry)) > limits['pull-time-exclusions']) {
          const subject = `The registry with id '${registry.accountId}' can have`;
          refuseOverQuota(limits, 'pull-time-exclusions', subject, 'pull time update exclusions');
        }
      });
      return exclusion;
    },

    async deregister({ registry }, principalArn) {
      const deleted = await metadata.transaction('registry', ({ pullTimes }) =>
        pullTimes.deleteExclusion(registry, principalArn),
      );
      if (!deleted) refuse({ kind: 'exclusion-not-found', principalArn, registryId: registry.accountId });
    },

    async list({ registry }, { after, limit }) {
      const found = await metadata.read.pullTimes.exclusions(registry, after, limit + 1);
      const { items, last } = splitPage(found, limit);
      const principalArns = items.map(({ principalArn }) => principalArn);
      return { principalArns, ...(last && { next: last.principalArn }) };
    },
  };
}
