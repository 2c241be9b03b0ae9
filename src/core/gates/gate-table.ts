import type { CoreDependencies } from '../dependencies.ts';
import type { ScanType } from '../scanning/scan-records.ts';
import type { Registry } from '../values/registry.ts';
import type { GatedRepository } from './gate-records.ts';

/** Gates in memory, so that a pull from a repository without one costs no more than without any. */
export interface GateTable {
  find(registry: Registry, repositoryName: string): Promise<StandingGate | undefined>;
}

/** A gate with what its registry's scans are of. */
export interface StandingGate extends GatedRepository {
  readonly scanType: ScanType;
}

/** A change that a command or another node made counts after so long. */
const FRESH_MS = 1000;

export function createGateTable({ metadata, now }: Pick<CoreDependencies, 'metadata' | 'now'>): GateTable {
  let gates: ReadonlyMap<string, StandingGate> = new Map();
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  const read = async () => {
    const startedAt = now().getTime();
    const all = await metadata.read.gates.all();
    const scanTypes = new Map<string, Promise<ScanType>>();
    const scanTypeOf = (registry: Registry) => {
      const key = keyOf(registry, '');
      const known =
        scanTypes.get(key) ?? metadata.read.scanning.registryScanning(registry).then(({ scanType }) => scanType);
      scanTypes.set(key, known);
      return known;
    };
    const standing = all.map(async (gated) => ({ ...gated, scanType: await scanTypeOf(gated.registry) }));
    const found = await Promise.all(standing);
    gates = new Map(found.map((gated) => [keyOf(gated.registry, gated.repositoryName), gated]));
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
      return gates.get(keyOf(registry, repositoryName));
    },
  };
}

function keyOf({ accountId, region }: Registry, repositoryName: string): string {
  return `${accountId}/${region}/${repositoryName}`;
}
