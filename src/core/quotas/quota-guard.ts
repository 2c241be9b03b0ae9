import type { Reads } from '../metadata-store.ts';
import type { Repository } from '../repositories/repository-records.ts';
import type { Registry } from '../values/registry.ts';
import { createCountedQuota } from './counted-quota.ts';
import { type QuotaLimits, refuseOverQuota } from './quotas.ts';

/** Keeps what is counted within its quotas. What it refuses, it refuses with limit-exceeded. */
export interface QuotaGuard {
  readonly limits: QuotaLimits;
  /** Refuses when the repository has no room for another image; within the transaction that adds it. */
  admitImage(records: Pick<Reads, 'usage'>, repository: Repository): Promise<void>;
  /** Refuses when the registry has no room for another repository; within the transaction that adds it. */
  admitRepository(records: Pick<Reads, 'usage'>, registry: Registry): Promise<void>;
  /** Refuses when as many basic scans as a registry may have a day began in it since then; within the transaction of the next. */
  admitScan(records: Pick<Reads, 'scanning'>, registry: Registry, dayAgo: Date): Promise<void>;
}

export function createQuotaGuard(limits: QuotaLimits, now: () => Date): QuotaGuard {
  const images = createCountedQuota(now);
  const repositories = createCountedQuota(now);
  const scans = createCountedQuota(now);
  return {
    limits,

    async admitImage({ usage }, { id, name, registry }) {
      const limit = limits['images-per-repository'];
      if (await images.hasRoom(String(id), limit, () => usage.countImages(id))) return;
      const repository = `The repository with name '${name}' in the registry with id '${registry.accountId}'`;
      refuseOverQuota(limits, 'images-per-repository', `${repository} can have`, 'images');
    },

    async admitRepository({ usage }, registry) {
      const limit = limits['repositories-per-registry'];
      const key = `${registry.accountId}/${registry.region}`;
      if (await repositories.hasRoom(key, limit, () => usage.countRepositories(registry))) return;
      const subject = `The registry with id '${registry.accountId}' in ${registry.region} can have`;
      refuseOverQuota(limits, 'repositories-per-registry', subject, 'repositories');
    },

    async admitScan({ scanning }, registry, dayAgo) {
      const limit = limits['scans-per-day'];
      const count = () => scanning.countStarted(registry, 'BASIC', dayAgo);
      if (await scans.hasRoom(`${registry.accountId}/${registry.region}`, limit, count)) return;
      const subject = `The registry with id '${registry.accountId}' in ${registry.region} can have`;
      refuseOverQuota(limits, 'scans-per-day', subject, 'image scans within 24 hours');
    },
  };
}
