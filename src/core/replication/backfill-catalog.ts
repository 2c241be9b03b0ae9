import type { Call } from '../access/caller.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { splitPage } from '../values/page.ts';
import type { Backfill } from './backfill-records.ts';
import type { Backfills } from './backfills.ts';
import { isDestination } from './replication-rules.ts';

/** ECR API reference, StartReplicationBackfill. */
const RUNNING_MAX = 10;
/** "Available for 90 days after they end" (ECR API reference, ListReplicationBackfills). */
const KEPT_SECONDS = 90 * 24 * 3600;

export function createBackfills({ metadata, now, newId }: CoreDependencies): Backfills {
  const { read } = metadata;
  const keptSince = () => secondsAfter(now(), -KEPT_SECONDS);

  const find = async (records: Pick<typeof read, 'backfills'>, { registry }: Call, id: string): Promise<Backfill> => {
    const found = await records.backfills.find(registry, id.toLowerCase());
    const isKept = found && (found.endedAt === undefined || found.endedAt >= keptSince());
    return isKept ? found : refuse({ kind: 'backfill-not-found', backfillId: id, registryId: registry.accountId });
  };

  return {
    async start({ registry }, destination) {
      const at = now();
      const backfill: Backfill = {
        id: newId(),
        registry,
        destination,
        status: 'PREPARING',
        total: 0,
        completed: 0,
        failed: 0,
        failureCodes: [],
        startedAt: at,
      };
      await metadata.transaction('registry', async ({ replication, backfills, jobs }) => {
        if (!isDestination(await replication.rules(registry), destination)) refuseDestination(backfill);
        const running = await backfills.running(registry);
        const same = running.find((each) => each.destination.region === destination.region);
        if (same) refuse({ kind: 'backfill-in-progress', backfillId: same.id, region: destination.region });
        if (running.length >= RUNNING_MAX) {
          const reason = `The registry with id '${registry.accountId}' can have at most ${RUNNING_MAX} replication backfills in progress`;
          refuse({ kind: 'limit-exceeded', reason });
        }
        await backfills.deleteEnded(registry, keptSince());
        await backfills.insert(backfill);
        await jobs.enqueue({ kind: 'run-backfill', key: backfill.id, payload: { backfillId: backfill.id } }, at);
      });
      return backfill;
    },

    async stop(call, id) {
      const at = now();
      return metadata.transaction('registry', async (records) => {
        const backfill = await find(records, call, id);
        if (backfill.status === 'STOPPING') return backfill;
        if (backfill.endedAt !== undefined) {
          refuse({ kind: 'backfill-invalid-status', backfillId: id, status: backfill.status });
        }
        await records.backfills.update(backfill.id, { status: 'STOPPING' });
        // Its own job may be waiting for a destination that does not answer; this one does not, and finds nothing left to do.
        await records.jobs.enqueue({ kind: 'run-backfill', payload: { backfillId: backfill.id } }, at);
        return { ...backfill, status: 'STOPPING' as const };
      });
    },

    async list({ registry }, { after, limit }) {
      const found = await read.backfills.page(registry, { endedSince: keptSince(), after, limit: limit + 1 });
      const { items, last } = splitPage(found, limit);
      return { backfills: items, ...(last && { next: { startedAt: last.startedAt, id: last.id } }) };
    },

    async results(call, { id, status, afterPosition, limit }) {
      const backfill = await find(read, call, id);
      if (backfill.endedAt === undefined) return { backfill };
      const found = await read.backfills.results(backfill.id, status, afterPosition, limit + 1);
      const { items, last } = splitPage(found, limit);
      return { backfill, results: items, ...(last && { next: last.position }) };
    },
  };
}

function refuseDestination({ destination }: Backfill): never {
  const constraint = `The destination with region '${destination.region}' and registry id '${destination.accountId}' is not in the replication configuration of the registry`;
  return refuse({ kind: 'invalid-parameter', parameter: 'destination', constraint });
}
