import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3BlobStoreOptions } from '../../src/drivers/blobs/s3/s3-blob-store.ts';
import type { Credentials } from '../support/access.ts';
import { fixedPort } from '../support/fixed-port.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { type Ran, runAny } from '../support/programs.ts';
import { type S3Server, startS3Server, whyNoS3Server } from '../support/s3-server.ts';
import { checkout, pinnedNode, type RunningServer, startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type Balancer, startBalancer, whyNoBalancer } from './nodes-balancer.ts';
import { environmentOf, newBucket } from './s3-bucket.ts';

/** Several `gantry serve` on one PostgreSQL and one Swift, each with a data folder of its own, behind a balancer. */
export interface Cluster extends AsyncDisposable {
  /** Of the balancer. */
  readonly url: string;
  readonly nodes: readonly ClusterNode[];
  readonly postgres: PostgresServer;
  readonly databaseUrl: string;
  readonly s3: S3Server;
  readonly bucket: S3BlobStoreOptions;
  /** The root's key; nodes that admit everybody do not look at it. */
  readonly root: Credentials;
  /** Runs `gantry WORDS` with the settings of the nodes. */
  gantry(words: readonly string[]): Promise<Ran>;
}

/** A node that is ended and comes back on the same port and folder. */
export interface ClusterNode {
  readonly name: string;
  readonly url: string;
  /** The process of its present life. */
  readonly server: RunningServer;
  readonly isRunning: boolean;
  /** @param more is added to the arguments of the cluster's nodes for this life, and counts more than they do */
  start(more?: readonly string[]): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number>;
}

export interface ClusterOptions {
  /** 3 unless given. */
  readonly nodes?: number;
  /** Added to `gantry serve`. */
  readonly args?: readonly string[];
  /** Added to the environment of nodes and commands. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Why there can be none here, as the test runner takes it; false when there can. */
export function whyNoCluster(): string | false {
  return withoutPostgres || (whyNoS3Server() ?? whyNoBalancer() ?? false);
}

/** All nodes are started at once, on a database and a bucket that are empty. */
export async function startCluster({ nodes: count = 3, args = [], env = {} }: ClusterOptions = {}): Promise<Cluster> {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await temporaryFolder('gantry-nodes-'));
  const postgres = starting.use(await startPostgres());
  const s3 = starting.use(await startS3Server());
  const bucket = await newBucket(s3);
  const databaseUrl = await postgres.newDatabase();
  const root = newKey();
  const shared = {
    GANTRY_DATABASE_URL: databaseUrl,
    GANTRY_KEY_FILE: join(folder.path, 'shared', 'access.key'),
    ...environmentOf(bucket),
    ...env,
  };
  await mkdir(join(folder.path, 'shared'));
  const rootKey = {
    GANTRY_ROOT_ACCESS_KEY_ID: root.accessKeyId,
    GANTRY_ROOT_SECRET_ACCESS_KEY: root.secretAccessKey,
  };
  const ports = await Promise.all(Array.from({ length: count }, fixedPort));
  const nodes = ports.map((port, at): ClusterNode & AsyncDisposable => {
    const name = `node-${at + 1}`;
    return clusterNode(name, port, join(folder.path, name), args, { ...shared, ...rootKey });
  });
  for (const node of nodes) starting.use(node);
  await Promise.all(nodes.map((node) => node.start()));
  const balancer: Balancer = starting.use(await startBalancer(ports));
  const operator = join(folder.path, 'operator');
  const running = starting.move();
  return {
    url: balancer.url,
    nodes,
    postgres,
    databaseUrl,
    s3,
    bucket,
    root,
    gantry: (words) =>
      runAny([pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words], {
        env: { ...shared, GANTRY_DATA_DIR: operator },
        seconds: 600,
      }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function clusterNode(
  name: string,
  port: number,
  data: string,
  args: readonly string[],
  env: Record<string, string>,
): ClusterNode & AsyncDisposable {
  let server: RunningServer | undefined;
  let isRunning = false;
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    get server() {
      if (server === undefined) throw new Error(`${name} was not started`);
      return server;
    },
    get isRunning() {
      return isRunning;
    },
    async start(more = []) {
      server = await startServer({ data, args: ['--port', String(port), ...args, ...more], env });
      isRunning = true;
    },
    async kill() {
      isRunning = false;
      await server?.kill();
    },
    async stop() {
      isRunning = false;
      return (await server?.stop()) ?? 0;
    },
    async [Symbol.asyncDispose]() {
      await server?.[Symbol.asyncDispose]();
    },
  };
}

function newKey(): Credentials {
  return {
    accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString('base64'),
  };
}
