import type { Cluster } from '../../cluster/nodes-cluster.ts';
import { http } from '../../support/http.ts';

/** Sums of what nodes count of their work, over all their lives as far as they were read. */
export interface WorkMeter {
  read(): Promise<void>;
  work(): ReadonlyMap<string, number>;
}

const COUNTERS: Readonly<Record<string, RegExp>> = {
  'blobs collected': /^gantry_garbage_blobs_total[{ ].*?([0-9.e+]+)$/gm,
  'lifecycle runs': /^gantry_jobs_done_total\{kind="apply-lifecycle",outcome="done"\}.*?([0-9.e+]+)$/gm,
};

export function createWorkMeter({ nodes }: Cluster): WorkMeter {
  /** What each process counted when it was read last. */
  const lives = new Map<string, Map<number, number>>(Object.keys(COUNTERS).map((what) => [what, new Map()]));
  return {
    async read() {
      for (const { url, server } of nodes) {
        const text = (await http(`${url}/metrics`)).text();
        for (const [what, pattern] of Object.entries(COUNTERS)) {
          const sum = [...text.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);
          lives.get(what)?.set(server.pid, sum);
        }
      }
    },
    work: () => new Map([...lives].map(([what, counts]) => [what, [...counts.values()].reduce((a, b) => a + b, 0)])),
  };
}
