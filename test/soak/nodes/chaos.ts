import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, ClusterNode } from '../../cluster/nodes-cluster.ts';
import type { Random } from '../../crash/random.ts';
import { http } from '../../support/http.ts';

/** One thing that goes wrong in a cluster, and its repair. */
interface Misfortune {
  readonly what: string;
  /** How often, compared with the others. */
  readonly weight: number;
  happen(cluster: Cluster, random: Random): Promise<void>;
}

const MISFORTUNES: readonly Misfortune[] = [
  { what: 'nodes killed', weight: 47, happen: (cluster, random) => killNodes(cluster, random, 1) },
  { what: 'pairs of nodes killed', weight: 12, happen: (cluster, random) => killNodes(cluster, random, 2) },
  { what: 'nodes stopped', weight: 8, happen: stopNode },
  { what: 'nodes halted for a while', weight: 8, happen: haltNode },
  { what: 'stops of PostgreSQL', weight: 10, happen: ({ postgres }, random) => without(random, postgres, 'stop') },
  { what: 'kills of PostgreSQL', weight: 10, happen: ({ postgres }, random) => without(random, postgres, 'kill') },
  { what: 'kills of the store', weight: 5, happen: ({ s3 }, random) => without(random, s3.proxy, 'kill') },
];

/** Lets one thing after another go wrong, each repaired before the next, until the signal. Everything works at the end. */
export async function causeChaos(
  cluster: Cluster,
  random: Random,
  signal: AbortSignal,
  count: (what: string) => void,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(500 + random.below(2500), undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    const misfortune = draw(random);
    await misfortune.happen(cluster, random);
    count(misfortune.what);
  }
  await allReady(cluster);
}

/** Waits until every node says that it is ready. */
export async function allReady({ nodes }: Cluster): Promise<void> {
  for (const { url, server } of nodes) {
    for (let left = 300; ; left--) {
      const answer = await http(`${url}/readyz`).catch(() => undefined);
      if (answer?.status === 200) break;
      if (left === 0) throw new Error(`${url} does not become ready: ${answer?.text()}\n${server.output()}`);
      await sleep(100);
    }
  }
}

function draw(random: Random): Misfortune {
  const all = MISFORTUNES.reduce((sum, { weight }) => sum + weight, 0);
  let at = random.below(all);
  for (const misfortune of MISFORTUNES) {
    at -= misfortune.weight;
    if (at < 0) return misfortune;
  }
  throw new Error('No misfortune has that weight');
}

async function killNodes({ nodes }: Cluster, random: Random, count: number): Promise<void> {
  const dying: ClusterNode[] = [];
  while (dying.length < count) {
    const node = random.pick(nodes);
    if (!dying.includes(node)) dying.push(node);
  }
  for (const node of dying) {
    await node.kill();
    await sleep(random.below(500));
  }
  await sleep(random.below(1500));
  await Promise.all(dying.map((node) => node.start()));
}

/** As an upgrade does it, one node at a time. */
async function stopNode({ nodes }: Cluster, random: Random): Promise<void> {
  const node = random.pick(nodes);
  const code = await node.stop();
  if (code !== 0) throw new Error(`SIGTERM ended ${node.name} with ${code}:\n${node.server.output()}`);
  await node.start();
}

/** Nobody is told that it is away, and it goes on as if nothing had been. */
async function haltNode({ nodes }: Cluster, random: Random): Promise<void> {
  const { pid } = random.pick(nodes).server;
  process.kill(pid, 'SIGSTOP');
  await sleep(1000 + random.below(HALT_MS_MAX));
  process.kill(pid, 'SIGCONT');
}

const HALT_MS_MAX = 6000;

async function without<How extends 'stop' | 'kill'>(
  random: Random,
  server: Record<How, () => Promise<void>> & { start(): Promise<void> },
  how: How,
): Promise<void> {
  await server[how]();
  await sleep(random.below(1500));
  await server.start();
}
