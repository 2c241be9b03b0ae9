import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../cluster/nodes-cluster.ts';
import { http } from '../../support/http.ts';

/** Sums of what nodes count of their work, over all their lives as far as they were read. */
export interface WorkMeter {
  read(): Promise<void>;
  /** Reads again and again until something of each kind was done, or that much time has passed. */
  untilAll(secondsMax: number): Promise<void>;
  work(): ReadonlyMap<string, number>;
}

const COUNTERS: Readonly<Record<string, RegExp>> = {
  'blobs collected': /^gantry_garbage_blobs_total[{ ].*?([0-9.e+]+)$/gm,
  'lifecycle runs': /^gantry_jobs_done_total\{kind="apply-lifecycle",outcome="done"\}.*?([0-9.e+]+)$/gm,
};

export function createWorkMeter({ nodes }: Cluster): WorkMeter {
  /** What each process counted when it was read last. */
  const lives = new Map<string, Map<number, number>>(Object.keys(COUNTERS).map((what) => [what, new Map()]));
  const meter: WorkMeter = {
    async read() {
      for (const { url, server } of nodes) {
        const text = (await http(`${url}/metrics`)).text();
        for (const [what, pattern] of Object.entries(COUNTERS)) {
          const sum = [...text.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);
          lives.get(what)?.set(server.pid, sum);
        }
      }
    },
    async untilAll(secondsMax) {
      for (let second = 0; second < secondsMax; second++) {
        await meter.read();
        if ([...meter.work().values()].every((count) => count > 0)) return;
        await sleep(1000);
      }
    },
    work: () => new Map([...lives].map(([what, counts]) => [what, [...counts.values()].reduce((a, b) => a + b, 0)])),
  };
  return meter;
}
