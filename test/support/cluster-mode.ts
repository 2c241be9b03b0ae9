import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import pg from 'pg';

/**
 * The mode in which tests run on a cluster: every server and command that they start keeps its facts in PostgreSQL and its
 * bytes in a bucket. tools/run-tests.ts starts both once and hands them down in this variable, as JSON.
 */
export const CLUSTER_VARIABLE = 'GANTRY_TEST_CLUSTER';

export interface TestCluster {
  /** Of the database that others are made beside, without parameters. */
  readonly postgres: string;
  /** Name of the database that new ones are copies of. */
  readonly template: string;
  /** Each server has a prefix of its own in it. */
  readonly bucket: string;
  readonly region: string;
  readonly endpoint: string;
  /** Under which clients reach the same store. */
  readonly publicEndpoint: string;
  /** As --blob-delivery takes it. */
  readonly blobDelivery: 'redirect' | 'proxy';
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const given = process.env[CLUSTER_VARIABLE];
const cluster = given === undefined ? undefined : (JSON.parse(given) as TestCluster);

/** Whether tests run in that mode. */
export const onCluster = cluster !== undefined;

/**
 * Why a test is skipped on a cluster, as its `skip` wants it.
 *
 * @param reason what there only is in a data folder
 */
export function needsFolder(reason: string): string | false {
  return onCluster && `not on a cluster: ${reason}`;
}

/** Environment that gives a data folder a database and a part of the bucket, the same ones each time. Empty elsewhere. */
export async function placeOf(data: string): Promise<Record<string, string>> {
  if (cluster === undefined) return {};
  const name = nameOf(data);
  await makeDatabase(cluster, name);
  const { bucket, region, endpoint, publicEndpoint } = cluster;
  const parameters = new URLSearchParams({ region, endpoint, publicEndpoint });
  return {
    GANTRY_DATABASE_URL: databaseAddress(cluster, name),
    GANTRY_BLOBS: `s3://${bucket}/${name}?${parameters}`,
    GANTRY_BLOB_DELIVERY: cluster.blobDelivery,
    GANTRY_S3_ACCESS_KEY_ID: cluster.credentials.accessKeyId,
    GANTRY_S3_SECRET_ACCESS_KEY: cluster.credentials.secretAccessKey,
  };
}

/** The part of the bucket that a data folder has; undefined where bytes are in the folder itself. */
export function bucketOf(data: string) {
  if (cluster === undefined) return undefined;
  const { bucket, region, endpoint, credentials } = cluster;
  return { bucket, prefix: nameOf(data), region, endpoint, credentials };
}

function nameOf(data: string): string {
  return `data_${createHash('sha256').update(resolve(data)).digest('hex').slice(0, 24)}`;
}

/** As `placeOf`, for the words of a `gantry` command; empty for any other program and where no data folder is named. */
export async function placeOfCommand(words: readonly string[]): Promise<Record<string, string>> {
  const data = words[words.indexOf('--data') + 1];
  const isGantry = words.slice(0, 2).some((word) => word.endsWith('gantry.js'));
  return isGantry && words.includes('--data') && data !== undefined ? placeOf(data) : {};
}

const made = new Set<string>();

async function makeDatabase({ postgres, template }: TestCluster, name: string): Promise<void> {
  if (made.has(name)) return;
  const client = new pg.Client({ connectionString: postgres });
  await client.connect();
  try {
    await client.query(`create database ${name} template ${template}`);
  } catch (error) {
    // Another process, or this one a moment ago.
    if (!isThere(error)) throw error;
  } finally {
    await client.end();
  }
  made.add(name);
}

/** 42P04 duplicate_database; 23505 when two make it at the same moment. */
function isThere(error: unknown): boolean {
  return error instanceof pg.DatabaseError && ['42P04', '23505'].includes(error.code ?? '');
}

function databaseAddress({ postgres }: TestCluster, name: string): string {
  const address = new URL(postgres);
  address.pathname = `/${name}`;
  return address.href;
}
