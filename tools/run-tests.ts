/**
 * `npm test [-- FILTER…]`: unit, contract and system tests in one go, nothing needed but Node and npm.
 * `npm run test:clients [-- FILTER…]`: the real clients.
 * `npm run test:cluster [-- FILTER…]`: real databases and object stores, then the system tests and the clients again with
 * every server on them. A filter is a piece of a file's path; any of several may match.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Files that run together. */
interface Round {
  readonly files: readonly string[];
  /** How many files at a time; as many as there are cores when left out. */
  readonly concurrency?: number;
  /** With every server that the tests start on PostgreSQL and S3, and how layers reach clients then. */
  readonly onCluster?: 'redirect' | 'proxy';
}

// Clients start daemons and move gigabytes: one file at a time.
const suites: Readonly<Record<'all' | 'clients' | 'cluster', readonly Round[]>> = {
  all: [{ files: ['src/**/*.test.ts', 'tools/**/*.test.ts', 'test/{contract,core,durability,system}/**/*.test.ts'] }],
  clients: [{ files: ['test/clients/**/*.test.ts'], concurrency: 1 }],
  cluster: [
    { files: ['test/cluster/**/*.test.ts'], concurrency: 1 },
    // System tests look at each header of a layer's answer; real clients follow links.
    { files: ['test/system/**/*.test.ts'], concurrency: 2, onCluster: 'proxy' },
    { files: ['test/clients/**/*.test.ts'], concurrency: 1, onCluster: 'redirect' },
  ],
};

process.exitCode = await runTests(process.argv.slice(2));

/** @returns the exit code: 0 only when at least one file ran and every test in all of them passed */
async function runTests(words: readonly string[]): Promise<number> {
  const suite = (['clients', 'cluster'] as const).find((name) => words.includes(`--${name}`)) ?? 'all';
  const options = words.filter((word) => word.startsWith('--') && word !== `--${suite}`);
  const filters = words.filter((word) => !word.startsWith('--'));
  const rounds = suites[suite].map((round) => ({ ...round, files: matching(round.files, filters) }));
  const worth = rounds.filter(({ files }) => files.length > 0);
  if (worth.length === 0) {
    console.error(`no test file matches ${filters.join(' or ') || 'the suite'}`);
    return 1;
  }
  await using owned = new AsyncDisposableStack();
  const environmentOf = await environments(worth, owned);
  // What the tests share is ended after them, also when they are told to stop.
  let running: ChildProcess | undefined;
  let stopped = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      stopped = true;
      running?.kill(signal);
    });
  }
  let worst = 0;
  for (const round of worth) {
    if (stopped) return 1;
    running = startRound(round, options, environmentOf(round));
    const [code, signal] = await once(running, 'exit');
    if (signal !== null) console.error(`the test runner was ended by ${signal}`);
    worst = Math.max(worst, code ?? 1);
  }
  return worst;
}

function matching(patterns: readonly string[], filters: readonly string[]): string[] {
  const found = globSync(patterns, { cwd: root }).sort();
  return found.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
}

function startRound(
  { files, concurrency }: Round,
  options: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcess {
  const bound = concurrency === undefined ? [] : [`--test-concurrency=${concurrency}`];
  const command = ['--test', '--test-reporter=spec', ...bound, ...options, ...files];
  return spawn(process.execPath, command, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
}

/** Starts what tests on a cluster share, where there are any, and says what tells each round of it. */
async function environments(rounds: readonly Round[], owned: AsyncDisposableStack) {
  if (!rounds.some(({ onCluster }) => onCluster !== undefined)) return () => ({});
  // Loaded by this suite alone: the others need nothing but Node.
  const { startCluster } = await import('../test/support/start-cluster.ts');
  const { CLUSTER_VARIABLE } = await import('../test/support/cluster-mode.ts');
  const { cluster } = owned.use(await startCluster());
  return ({ onCluster }: Round): Record<string, string> =>
    onCluster === undefined ? {} : { [CLUSTER_VARIABLE]: JSON.stringify({ ...cluster, blobDelivery: onCluster }) };
}
