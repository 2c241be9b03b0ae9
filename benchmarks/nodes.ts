/**
 * `node benchmarks/nodes.ts [--rounds 3 --seconds 5 --tags 500000 --nodes 3]`: what several nodes do together, on one
 * PostgreSQL and one Swift behind HAProxy, all of them and the load on this machine. Prints a table in Markdown; medians
 * of rounds in which one node, two and three take turns. docs/performance.md says how to read it.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Cluster, startCluster, whyNoCluster } from '../test/cluster/nodes-cluster.ts';
import { http } from '../test/support/http.ts';
import { execute } from '../test/support/postgres.ts';
import type { Job, Outcome } from './load/generate.ts';
import { perform } from './measure.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    tags: { type: 'string', default: '500000' },
    nodes: { type: 'string', default: '3' },
  },
});
const seconds = Number(values.seconds);
const tags = Number(values.tags);
const nodesMax = Number(values.nodes);

interface Measured {
  readonly title: string;
  job(port: number, round: number): Job;
  figure(outcome: Outcome): number;
}

const perSecond = ({ operations, seconds }: Outcome) => operations / seconds;
const pulled = 'bench/pulled';
const tagged = 'bench/tagged';

/** How many images whose layers are there already are put in a round. */
const PUT = 300;

const measured: readonly Measured[] = [
  {
    title: 'pushes of a small image, 8 clients, many repositories, /s',
    job: (port) => ({ kind: 'push-images', port, clients: 8, seconds, into: 'many' }),
    figure: perSecond,
  },
  {
    title: 'the same into one repository, /s',
    job: (port) => ({ kind: 'push-images', port, clients: 8, seconds, into: 'one' }),
    figure: perSecond,
  },
  {
    title: 'manifests of layers that are there, 32 connections, one repository, /s',
    job: (port, round) => ({ kind: 'seed-images', port, repository: `bench/put-${round}`, images: PUT }),
    figure: perSecond,
  },
  {
    title: 'manifest GET by tag, 64 connections, /s',
    job: (port) => get(port, `/v2/${pulled}/manifests/v0000000`, 64),
    figure: perSecond,
  },
  {
    title: `first page (1,000) of ${tags.toLocaleString('en')} tags, median, ms`,
    job: (port) => get(port, `/v2/${tagged}/tags/list?n=1000`, 1),
    figure: ({ medianMs = Number.NaN }) => medianMs,
  },
  {
    title: 'the same, slowest of many, ms',
    job: (port) => get(port, `/v2/${tagged}/tags/list?n=1000`, 1),
    figure: ({ highestMs = Number.NaN }) => highestMs,
  },
];

const reason = whyNoCluster();
if (reason) {
  console.error(reason);
  process.exit(1);
}
await using cluster = await startCluster({ nodes: nodesMax });
const port = Number(new URL(cluster.url).port);
await perform({ kind: 'seed-images', port, repository: pulled, images: 1 });
await fillTags(cluster);
const samples = measured.map(() => Array.from({ length: nodesMax }, () => [] as number[]));
for (let round = 0; round < Number(values.rounds); round++) {
  const counts = Array.from({ length: nodesMax }, (_, at) => at + 1);
  for (const count of round % 2 === 0 ? counts : counts.toReversed()) {
    await runExactly(cluster, count);
    for (const [row, { job, figure }] of measured.entries()) {
      samples[row]![count - 1]!.push(figure(await perform(job(port, round * nodesMax + count))));
    }
    console.error(`round ${round + 1}, ${count} ${count === 1 ? 'node' : 'nodes'}`);
  }
}
console.log(table());

function get(port: number, path: string, connections: number): Job {
  return { kind: 'get-again', port, path, connections, seconds };
}

/** Ends nodes and starts them until so many work, and until the balancer knows. */
async function runExactly({ nodes, url }: Cluster, count: number): Promise<void> {
  for (const [at, node] of nodes.entries()) {
    if (at < count && !node.isRunning) await node.start();
    if (at >= count && node.isRunning) await node.stop();
  }
  for (let answered = 0; answered < 20 * count; ) {
    answered = (await http(`${url}/readyz`)).status === 200 ? answered + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Tags by the hundred thousand are put into the database itself: over the API it would take an hour. */
async function fillTags({ url, databaseUrl }: Cluster): Promise<void> {
  const port = Number(new URL(url).port);
  await perform({ kind: 'seed-images', port, repository: tagged, images: 1 });
  await execute(
    databaseUrl,
    `insert into tags (repository_id, name, image_id, updated_at)
     select i.repository_id, 't' || lpad(n::text, 7, '0'), i.id, 0
     from generate_series(1, ${tags - 1}) n, images i join repositories r on r.id = i.repository_id
     where r.name = '${tagged}';
     analyze;`,
  );
}

function table(): string {
  const heads = Array.from({ length: nodesMax }, (_, at) => (at === 0 ? '1 node' : `${at + 1} nodes`));
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    `${cpus().length} × ${cpus()[0]?.model}; Node ${process.versions.node}; medians of ${values.rounds} rounds of ${seconds} s\n`,
    row(['', ...heads]),
    row(Array.from({ length: nodesMax + 1 }, () => '---')),
    ...measured.map(({ title }, at) => row([title, ...samples[at]!.map((found) => shown(medianOf(found)))])),
  ].join('\n');
}

function medianOf(found: readonly number[]): number {
  const sorted = found.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1);
}
