import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fixedPort } from './fixed-port.ts';
import { findProgram, run } from './programs.ts';
import { cleanEnvironment } from './server.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A real object store that speaks S3: OpenStack Swift, as Debian packages it, on loopback. */
export interface S3Server extends AsyncDisposable {
  /** http://127.0.0.1:PORT; bucket names are in the path. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** What speaks S3, without what holds the bytes: nobody reaches them while it is gone. */
  readonly proxy: { kill(): Promise<void>; start(): Promise<void> };
  /** Where it keeps its objects. */
  readonly folder: string;
  /** Everything its processes printed. */
  output(): Promise<string>;
}

const KINDS = ['object', 'container', 'account'] as const;
const PROGRAMS = [
  'swift-proxy-server',
  'swift-ring-builder',
  'memcached',
  ...KINDS.map((kind) => `swift-${kind}-server`),
];
const READY_SECONDS = 60;

/** Why there can be none here; undefined when there can. In CI there must be one: throws with the reason. */
export function whyNoS3Server(): string | undefined {
  const missing = PROGRAMS.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return undefined;
  const packages = 'swift swift-proxy swift-account swift-container swift-object memcached';
  const reason = `${missing.join(', ')} not found; on Debian: apt-get install ${packages}`;
  if (process.env.CI === 'true') throw new Error(reason);
  return reason;
}

/**
 * Starts a store of its own, empty. Disposal ends its processes and removes what they stored.
 *
 * @param isEncrypting whether it can encrypt what it is asked to (Swift's own encryption, "Object encryption")
 */
export async function startS3Server({ isEncrypting = false } = {}): Promise<S3Server> {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await temporaryFolder('gantry-s3-'));
  const [proxy, memcached, ...ports] = await Promise.all(Array.from({ length: KINDS.length + 2 }, fixedPort));
  await mkdir(join(folder.path, 'dev', 'd1'), { recursive: true });
  await writeConfiguration(folder.path, { proxy: proxy!, memcached: memcached!, ports, isEncrypting });
  const log = join(folder.path, 'log');
  const start = (words: readonly string[]) => {
    const child = startProcess(words, folder.path, log);
    starting.defer(() => end(child));
  };
  const user = userInfo().username;
  start(['memcached', '-u', user, '-l', '127.0.0.1', '-p', String(memcached), '-m', '32']);
  for (const kind of KINDS) start([`swift-${kind}-server`, `${kind}.conf`]);
  const output = () => readFile(log, 'utf8');
  // A proxy that finds one of them missing does without it for a minute.
  for (const port of ports) await answers(`http://127.0.0.1:${port}`, output);
  const endpoint = `http://127.0.0.1:${proxy}`;
  let proxyProcess: ChildProcess | undefined;
  const startProxy = async () => {
    proxyProcess = startProcess(['swift-proxy-server', 'proxy.conf'], folder.path, log);
    await answers(endpoint, output);
  };
  const killProxy = async () => {
    if (proxyProcess) await end(proxyProcess);
  };
  starting.defer(killProxy);
  await startProxy();
  const running = starting.move();
  return {
    endpoint,
    region: 'us-east-1',
    folder: join(folder.path, 'dev'),
    credentials: { accessKeyId: 'gantry:test', secretAccessKey: SECRET },
    proxy: { kill: killProxy, start: startProxy },
    output,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const SECRET = 'secretsecret';
const ROOT_SECRET = Buffer.alloc(32, 'root').toString('base64');
const PIPELINE = 'catch_errors gatekeeper cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes';

async function writeConfiguration(
  folder: string,
  parts: { proxy: number; memcached: number; ports: readonly number[]; isEncrypting: boolean },
): Promise<void> {
  const { proxy, memcached, ports, isEncrypting } = parts;
  const write = (name: string, sections: Record<string, Record<string, string | number>>) =>
    writeFile(join(folder, name), ini(sections));
  await write('swift.conf', {
    'swift-hash': { swift_hash_path_prefix: 'a', swift_hash_path_suffix: 'b' },
    'storage-policy:0': { name: 'Policy-0', default: 'yes' },
  });
  const everywhere = { bind_ip: '127.0.0.1', user: userInfo().username, swift_dir: folder, workers: 0 };
  for (const [index, kind] of KINDS.entries()) {
    const port = ports[index]!;
    await write(`${kind}.conf`, {
      DEFAULT: {
        ...everywhere,
        bind_port: port,
        devices: join(folder, 'dev'),
        mount_check: 'false',
        log_level: 'WARNING',
      },
      'pipeline:main': { pipeline: `${kind}-server` },
      [`app:${kind}-server`]: { use: `egg:swift#${kind}`, log_requests: 'false' },
    });
    const ring = (...words: string[]) =>
      run([findProgram('swift-ring-builder')!, `${kind}.builder`, ...words], { cwd: folder });
    await ring('create', '4', '1', '0');
    await ring('add', `r1z1-127.0.0.1:${port}/d1`, '1');
    await ring('rebalance');
  }
  const filters = ['catch_errors', 'gatekeeper', 'listing_formats', 'bulk', 'copy', 'slo', 'dlo'];
  await write('proxy.conf', {
    DEFAULT: { ...everywhere, bind_port: proxy, log_level: 'WARNING' },
    'pipeline:main': {
      pipeline: `${PIPELINE} ${isEncrypting ? 'keymaster encryption ' : ''}proxy-server`,
    },
    'app:proxy-server': { use: 'egg:swift#proxy', account_autocreate: 'true' },
    'filter:cache': { use: 'egg:swift#memcache', memcache_servers: `127.0.0.1:${memcached}` },
    'filter:s3api': { use: 'egg:swift#s3api', location: 'us-east-1', s3_acl: 'false' },
    'filter:tempauth': { use: 'egg:swift#tempauth', user_gantry_test: `${SECRET} .admin` },
    'filter:versioned_writes': { use: 'egg:swift#versioned_writes', allow_versioned_writes: 'true' },
    'filter:keymaster': { use: 'egg:swift#keymaster', encryption_root_secret: ROOT_SECRET },
    'filter:encryption': { use: 'egg:swift#encryption' },
    ...Object.fromEntries(filters.map((name) => [`filter:${name}`, { use: `egg:swift#${name}` }])),
  });
}

function ini(sections: Record<string, Record<string, string | number>>): string {
  const text = Object.entries(sections).map(([name, values]) => {
    const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}`);
    return [`[${name}]`, ...lines, ''].join('\n');
  });
  return text.join('\n');
}

/** One disk and few cores: to hand each sync to a thread takes twice as long as the sync. */
const SWIFT_ENVIRONMENT = { EVENTLET_THREADPOOL_SIZE: '0' };

function startProcess([program = '', ...words]: readonly string[], cwd: string, log: string): ChildProcess {
  const file = openSync(log, 'a');
  try {
    const env = { ...cleanEnvironment(), ...SWIFT_ENVIRONMENT };
    const options = { cwd, env, stdio: ['ignore', file, file] as ['ignore', number, number] };
    return spawn(findProgram(program) ?? program, words, options);
  } finally {
    closeSync(file);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function answers(endpoint: string, output: () => Promise<string>): Promise<void> {
  const until = Date.now() + READY_SECONDS * 1000;
  while (Date.now() < until) {
    const answered = await fetch(endpoint).catch(() => undefined);
    await answered?.arrayBuffer();
    if (answered !== undefined) return;
    await sleep(100);
  }
  throw new Error(`The S3 server did not answer within ${READY_SECONDS} s:\n${await output()}`);
}
