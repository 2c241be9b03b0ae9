import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster, whyNoCluster } from '../../cluster/nodes-cluster.ts';
import { compare } from '../../crash/compare.ts';
import { call } from '../../crash/layer-pushes.ts';
import { newLedger } from '../../crash/ledger.ts';
import type { Random } from '../../crash/random.ts';
import { runClient, type StormClient } from '../../crash/storm-client.ts';
import type { WorldControl } from '../../crash/world.ts';
import { blobOf } from '../../support/images.ts';
import { type Scenario, Tally } from '../scenario.ts';
import { allReady, causeChaos } from './chaos.ts';
import { endWell } from './end-well.ts';
import { type Keeper, pull, runKeeper, runPuller } from './kept-images.ts';
import { createStormWorld, createTokens, GOES_ON_SECONDS, type Tokens } from './storm-world.ts';
import { createWorkMeter } from './work-meter.ts';

const CLIENTS = 6;
const KEEPERS = 4;
const PULLERS = 3;
/** How long clients and misfortunes are at work between two comparisons. */
const STORM_SECONDS = 12;
const TOKEN_SECONDS = 2;
/** Longer than an upload is held by a node that died. */
const LEASE_SECONDS = 25;
/** Images of tags v-… that the policy leaves. */
const VERSIONS = 8;
const KEPT_REPOSITORIES = ['kept/one', 'kept/two'];

/**
 * Three nodes behind a balancer under pushes, pulls and deletions, with garbage collection and lifecycle policies every
 * second, while nodes are killed, PostgreSQL is stopped and killed, and the store goes away. What was acknowledged must be
 * there, byte for byte, whoever is asked; at the end nothing is left over.
 */
export const soakNodes: Scenario = async ({ seconds, random, say }) => {
  const reason = whyNoCluster();
  if (reason) {
    say(`  not here: ${reason}`);
    return new Tally();
  }
  await using cluster = await startCluster({
    args: [
      ...['--auth', 'enforced', '--garbage-interval-seconds', '1', '--lifecycle-interval-seconds', '1'],
      ...['--layer-lease-seconds', `${LEASE_SECONDS}`, '--undo-seconds', '0', '--orphan-seconds', '60'],
      ...['--upload-idle-seconds', '120'],
    ],
  });
  const tally = new Tally();
  const tokens = await createTokens(cluster.nodes[0]!.url, cluster.root);
  const world = createStormWorld(cluster.root, tokens);
  world.moveTo(cluster.url);
  const { clients, keepers, pullers } = cast(world, random);
  await makeRepositories(world, clients);
  const working = [...clients.map(runClient), ...keepers.map(runKeeper), ...pullers.map(runPuller)];
  const meter = createWorkMeter(cluster);
  const until = Date.now() + seconds * 1000;
  while (Date.now() < until && world.failures.length === 0) {
    await stormOnce({ cluster, world, random, tokens, working: working.length, until });
    await meter.read();
    const comparison = { world, random, leaseMs: LEASE_SECONDS * 1000, everything: Date.now() >= until };
    const ledgers = clients.flatMap(({ repositories }) => repositories);
    await Promise.all(ledgers.map((ledger) => compare(comparison, ledger)));
    const left = Math.max(0, Math.round((until - Date.now()) / 1000));
    say(`  ${left} s to go, ${keepers[0]!.kept.length} images kept, ${world.failures.length} failures`);
  }
  world.end();
  await Promise.all(working);
  const calm = createStormWorld(cluster.root, tokens);
  calm.moveTo(cluster.url);
  calm.begin();
  for (const image of keepers[0]!.kept) await pull({ ...keepers[0]!, world: calm }, image);
  await meter.untilAll(GOES_ON_SECONDS + LEASE_SECONDS);
  await endWell(cluster, calm, { repositories: KEPT_REPOSITORIES, versions: VERSIONS, say });
  for (const [what, count] of [...world.counts, ...calm.counts, ...meter.work()]) tally.count(what, count);
  for (const [what, count] of meter.work())
    if (count === 0) world.fail(`no ${what}: a soak without them shows nothing`);
  for (const failure of [...world.failures, ...calm.failures]) tally.fail(failure);
  return tally;
};

function cast(world: WorldControl, random: Random) {
  const leaseMs = LEASE_SECONDS * 1000;
  const common = Array.from({ length: 6 }, () => blobOf(random.bytes(1 + random.below(100_000))));
  const clients = Array.from({ length: CLIENTS }, (_, at): StormClient => {
    const repositories = ['a', 'b'].map((name) => newLedger(`storm/client-${at}/${name}`));
    return { world, random: random.fork(), leaseMs, repositories, common };
  });
  const shared = { world, leaseMs, repositories: KEPT_REPOSITORIES, kept: [], common };
  const named =
    (kind: string) =>
    (_: unknown, at: number): Keeper => ({
      ...shared,
      random: random.fork(),
      name: `${kind}${at}`,
    });
  const keepers = Array.from({ length: KEEPERS }, named('keeper'));
  return { clients, keepers, pullers: Array.from({ length: PULLERS }, named('puller')) };
}

async function makeRepositories(world: WorldControl, clients: readonly StormClient[]): Promise<void> {
  await call(world, 'PutAccountSetting', { name: 'BLOB_MOUNTING', value: 'ENABLED' });
  const ledgers = clients.flatMap(({ repositories }) => repositories);
  for (const repositoryName of [...ledgers.map(({ name }) => name), ...KEPT_REPOSITORIES]) {
    await call(world, 'CreateRepository', { repositoryName });
  }
  const selection = { tagStatus: 'tagged', tagPatternList: ['v-*'], countType: 'imageCountMoreThan' };
  const rule = { rulePriority: 1, selection: { ...selection, countNumber: VERSIONS }, action: { type: 'expire' } };
  const lifecyclePolicyText = JSON.stringify({ rules: [rule] });
  for (const repositoryName of KEPT_REPOSITORIES) {
    const put = await call(world, 'PutLifecyclePolicy', { repositoryName, lifecyclePolicyText });
    if (put.status !== 200) throw new Error(`PutLifecyclePolicy: ${put.text()}`);
  }
}

interface Storm {
  readonly cluster: Cluster;
  readonly world: WorldControl;
  readonly random: Random;
  readonly tokens: Tokens;
  /** How many clients there are to wait for. */
  readonly working: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Lets clients work and things go wrong for a while; all is repaired and everybody waits when this resolves. */
async function stormOnce({ cluster, world, random, tokens, working, until }: Storm): Promise<void> {
  const stop = new AbortController();
  world.begin();
  const chaos = causeChaos(cluster, random, stop.signal, (what) => world.count(what));
  const renewing = renewTokens(cluster, random, tokens, stop.signal);
  await Promise.race([sleep(Math.min(STORM_SECONDS * 1000, until - Date.now())), chaos]);
  stop.abort();
  await Promise.all([chaos, renewing]);
  world.close();
  await world.gather(working);
  await allReady(cluster);
}

/** Each node makes tokens, and everybody's next requests carry the newest to all. */
async function renewTokens({ nodes }: Cluster, random: Random, tokens: Tokens, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // A node that is gone makes none.
    await tokens.renew(random.pick(nodes).url).catch(() => {});
    await sleep(TOKEN_SECONDS * 1000, undefined, { signal }).catch(() => {});
  }
}
