/**
 * `node test/crash/run.ts [--kills 200] [--seconds N] [--seed TEXT]`: a push storm against a real server that is killed
 * at random moments and started again on the same folder. After every restart all that was answered with success must
 * be there. Ends with `N passed, N failed`; exit code 1 when anything failed.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { blobOf } from '../support/images.ts';
import { run, runAny } from '../support/programs.ts';
import { checkout, cleanEnvironment, pinnedNode, type RunningServer, startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { compare } from './compare.ts';
import { call } from './layer-pushes.ts';
import { newLedger } from './ledger.ts';
import { type Random, seededRandom } from './random.ts';
import { runClient, type StormClient } from './storm-client.ts';
import { createWorld, type WorldControl } from './world.ts';

const CLIENTS = 4;
const LEASE_SECONDS = 3;
/** How many kills lie between two verifications of the stopped folder. */
const VERIFY_EVERY = 20;
const gantry = join(checkout, 'bin', 'gantry.js');
const keeping = [
  '--layer-lease-seconds',
  `${LEASE_SECONDS}`,
  '--upload-idle-seconds',
  '60',
  '--orphan-seconds',
  '30',
  '--undo-seconds',
  '0',
];

const { values } = parseArgs({
  options: { kills: { type: 'string' }, seconds: { type: 'string' }, seed: { type: 'string' } },
});
const kills = Number(values.kills ?? 200);
const seed = values.seed ?? randomUUID();
console.log(`crash storm: ${kills} kills, --seed ${seed}`);
process.exitCode = await storm(seededRandom(seed), kills, Number(values.seconds ?? Infinity));

/** @returns the exit code */
async function storm(random: Random, killsWanted: number, secondsMax: number): Promise<number> {
  await using folder = await temporaryFolder('gantry-crash-');
  const world = createWorld();
  const common = Array.from({ length: 6 }, () => blobOf(random.bytes(1 + random.below(100_000))));
  const clients = Array.from({ length: CLIENTS }, (_, at): StormClient => {
    const repositories = ['a', 'b'].map((name) => newLedger(`storm/client-${at}/${name}`));
    return { world, random: random.fork(), leaseMs: LEASE_SECONDS * 1000, repositories, common };
  });
  const startedAt = Date.now();
  let server = await start(folder.path);
  world.moveTo(server.url);
  for (const { name } of clients.flatMap(({ repositories }) => repositories)) {
    await call(world, 'CreateRepository', { repositoryName: name });
  }
  const storming = Promise.all(clients.map(runClient));
  let done = 0;
  while (done < killsWanted && Date.now() - startedAt < secondsMax * 1000) {
    world.begin();
    await stormOnce(world, random, server, folder.path);
    await world.gather(CLIENTS);
    done++;
    if (random.chance(0.1)) done += await killWhileStarting(random, folder.path);
    if (done % VERIFY_EVERY === 0) await verify(world, folder.path);
    server = await start(folder.path);
    world.moveTo(server.url);
    await compareAll(world, random, clients, done % VERIFY_EVERY === 0);
    if (done % 10 === 0) console.log(`${done} kills, ${Math.round((Date.now() - startedAt) / 1000)} s`);
  }
  world.end();
  await storming;
  await compareAll(world, random, clients, true);
  await endWell(world, server, folder.path);
  for (const [what, count] of [...world.counts].sort()) console.log(`  ${count} ${what}`);
  const { length: failed } = world.failures;
  if (failed > 0) console.log(`again with: node test/crash/run.ts --kills ${kills} --seed ${seed}`);
  console.log(`${done} passed, ${failed} failed`);
  return failed > 0 || done === 0 ? 1 : 0;
}

function start(data: string): Promise<RunningServer> {
  return startServer({ data, args: [...keeping, '--garbage-interval-seconds', '1'] });
}

/** Lets clients work for a moment, sometimes with a garbage collection beside the server, and kills everything. */
async function stormOnce(world: WorldControl, random: Random, server: RunningServer, data: string): Promise<void> {
  const isLong = random.chance(0.1);
  const collecting = random.chance(0.15) ? spawnGantry(['garbage', '--data', data, ...keeping]) : undefined;
  // Long enough for the server's own collection, or for the other process to get to work.
  const atLeastMs = isLong ? 1050 : collecting ? 250 : 0;
  await sleep(atLeastMs + random.below(300));
  world.close();
  await server.kill();
  collecting?.kill('SIGKILL');
  if (collecting && collecting.exitCode === null && collecting.signalCode === null) await once(collecting, 'close');
}

/** @returns how many kills there were */
async function killWhileStarting(random: Random, data: string): Promise<number> {
  const child = spawnGantry(['serve', '--port', '0', '--data', data]);
  await sleep(random.below(250));
  child.kill('SIGKILL');
  await once(child, 'close');
  return 1;
}

function spawnGantry(words: readonly string[]) {
  return spawn(pinnedNode, [gantry, ...words], { cwd: checkout, env: cleanEnvironment(), stdio: 'ignore' });
}

async function compareAll(world: WorldControl, random: Random, clients: readonly StormClient[], everything: boolean) {
  const leaseMs = LEASE_SECONDS * 1000;
  await Promise.all(
    clients.map(async ({ repositories }) => {
      for (const ledger of repositories) await compare({ world, random, leaseMs, everything }, ledger);
    }),
  );
}

async function verify(world: WorldControl, data: string): Promise<string> {
  const { code, stdout, stderr } = await runAny([pinnedNode, gantry, 'verify', '--data', data]);
  if (code !== 0) world.fail(`gantry verify ended with ${code}:\n${stdout}${stderr}`);
  world.count('verifications');
  return stdout;
}

/** A server that is asked to stop does so, and once all uploads have ended collection leaves what records name alone. */
async function endWell(world: WorldControl, server: RunningServer, data: string): Promise<void> {
  const code = await server.stop();
  if (code !== 0) world.fail(`SIGTERM ended the server with ${code}`);
  await sleep(LEASE_SECONDS * 1000);
  const words = ['garbage', '--data', data, '--upload-idle-seconds', '0', '--orphan-seconds', '0'];
  console.log((await run([pinnedNode, gantry, ...words])).trim());
  const verified = await verify(world, data);
  const files = globSync('blobs/*/*/*', { cwd: data }).length;
  const staged = globSync('uploads/*', { cwd: data }).length;
  if (staged > 0) world.fail(`${staged} uploads left bytes`);
  if (!verified.includes(`Verified ${files} blobs`)) world.fail(`${files} files are left, and: ${verified}`);
}
