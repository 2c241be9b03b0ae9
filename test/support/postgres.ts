import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { fixedPort } from './fixed-port.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A PostgreSQL server of the test's own, in a folder and on a port that were free. */
export interface PostgresServer extends AsyncDisposable {
  /** Makes an empty database and gives its address. */
  newDatabase(): Promise<string>;
  /** Stops it as its administrator would, cutting off whoever is connected. */
  stop(): Promise<void>;
  /** Ends it and all its processes as a loss of power would, but for what the system has in memory. */
  kill(): Promise<void>;
  /** Starts it again after `stop` or `kill`, on the same port. */
  start(): Promise<void>;
}

/** Where the server's programs are, the newest first as Debian installs them; undefined when there are none. */
export function postgresPrograms(): string | undefined {
  const versions = globSync('/usr/lib/postgresql/*/bin/initdb').map((path) => path.slice(0, -'/initdb'.length));
  return versions.sort((one, other) => other.localeCompare(one, 'en', { numeric: true }))[0];
}

/** Says why tests that need a server are skipped; never where everything must be tried. */
export const withoutPostgres =
  postgresPrograms() === undefined && process.env.CI === undefined ? 'no PostgreSQL server is installed here' : false;

/** @param settings as the server's configuration takes them, such as `fsync=off` */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const programs = postgresPrograms();
  if (programs === undefined) throw new Error('No PostgreSQL server is installed');
  const folder = await temporaryFolder('gantry-postgres-');
  if (AS.uid !== undefined && AS.gid !== undefined) await chown(folder.path, AS.uid, AS.gid);
  const data = join(folder.path, 'data');
  initialise(join(programs, 'initdb'), data);
  const port = await fixedPort();
  const address = (database: string) => `postgres://gantry@127.0.0.1:${port}/${database}`;
  const options = ['listen_addresses=127.0.0.1', `unix_socket_directories=${folder.path}`, 'max_connections=200'];
  const words = [...options, 'autovacuum_naptime=5', ...settings].flatMap((setting) => ['-c', setting]);
  let server: ChildProcess | undefined;
  let databases = 0;

  async function start(): Promise<void> {
    for (let left = 100; left > 0; left--) {
      const starting = spawn(join(programs!, 'postgres'), ['-D', data, '-p', String(port), ...words], {
        ...AS,
        stdio: ['ignore', 'ignore', 'ignore'],
      });
      server = starting;
      // After a kill the server refuses to start until the last of its former processes has noticed.
      if (await answers(starting, address('postgres'))) return;
      await sleep(100);
    }
    throw new Error('The PostgreSQL server does not start');
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = server;
    server = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = once(ending, 'exit');
    ending.kill(signal);
    await ended;
  }

  await start();
  return {
    async newDatabase() {
      const name = `registry_${++databases}`;
      await execute(address('postgres'), `create database ${name}`);
      return address(name);
    },
    stop: () => end('SIGINT'),
    kill: () => end('SIGKILL'),
    start,
    async [Symbol.asyncDispose]() {
      await end('SIGINT');
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Runs statements on a connection of their own. */
export async function execute(url: string, statements: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statements);
  } finally {
    await client.end();
  }
}

/** The server refuses to run as root: nobody will do. */
const AS: { uid?: number; gid?: number } = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

function initialise(initdb: string, data: string): void {
  // Not the C locale: the order of texts must not come from the database.
  const words = ['-D', data, '-U', 'gantry', '-A', 'trust', '-E', 'UTF8', '--locale-provider=icu', '--icu-locale=en'];
  const { status, stderr } = spawnSync(initdb, [...words, '--locale=C.UTF-8', '--no-sync'], {
    ...AS,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
}

/** @returns false when the server has ended instead */
async function answers(server: ChildProcess, url: string): Promise<boolean> {
  while (server.exitCode === null && server.signalCode === null) {
    try {
      await execute(url, 'select 1');
      return true;
    } catch {
      await sleep(50);
    }
  }
  return false;
}
