import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { CopyObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import type { S3BlobStoreOptions } from '../../src/drivers/blobs/s3/s3-blob-store.ts';
import { awsCall } from '../support/aws-call.ts';
import { http } from '../support/http.ts';
import { type Image, pushImage, randomImage } from '../support/images.ts';
import { type PostgresServer, postgresPrograms, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { type Ran, run, runAny } from '../support/programs.ts';
import { type S3Server, startS3Server, whyNoS3Server } from '../support/s3-server.ts';
import { checkout, pinnedNode, type RunningServer, startServer } from '../support/server.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { environmentOf, newBucket, withClient } from './s3-bucket.ts';

const NO_LEASE = ['--layer-lease-seconds', '0', '--undo-seconds', '0', '--orphan-seconds', '0'];

/** Well beyond the time for which a server that is gone holds an upload. */
const ROUNDS_MAX = 60;

/** Where a registry keeps what it keeps. */
interface Place {
  readonly database: string;
  readonly bucket: S3BlobStoreOptions;
}

describe('a backup of PostgreSQL and a bucket', { skip: withoutPostgres || whyNoS3Server() || false }, () => {
  const owned = new AsyncDisposableStack();
  let postgres: PostgresServer;
  let s3: S3Server;
  let folder: TemporaryFolder;
  before(async () => {
    postgres = owned.use(await startPostgres());
    s3 = owned.use(await startS3Server());
    folder = owned.use(await temporaryFolder());
  });
  after(() => owned.disposeAsync());

  const newPlace = async (): Promise<Place> => ({
    database: await postgres.newDatabase(),
    bucket: await newBucket(s3),
  });
  const environment = ({ database, bucket }: Place) => ({
    ...environmentOf(bucket),
    GANTRY_DATABASE_URL: database,
    GANTRY_BLOB_DELIVERY: 'proxy',
    GANTRY_KEY_FILE: join(folder.path, 'key-file'),
  });
  const gantry = (server: RunningServer, place: Place, ...words: string[]): Promise<Ran> =>
    runAny([pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words, '--data', server.data], {
      env: environment(place),
    });
  const program = (name: string) => join(postgresPrograms()!, name);
  const dump = (place: Place, file: string) =>
    run([program('pg_dump'), '--format=custom', '--file', file, '--dbname', place.database]);
  const restore = (place: Place, file: string) =>
    run([program('pg_restore'), '--exit-on-error', '--dbname', place.database, file]);

  it('made while pushes go on, facts first and bytes second, is a registry with all that was acknowledged before', async () => {
    const [place, copy] = [await newPlace(), await newPlace()];
    const pushed: Image[] = [];
    await using server = await startServer({ env: environment(place) });
    const pushing = keepPushing(server.url, pushed);
    while (pushed.length < 5) await turn();
    const before = pushed.length;
    const file = join(folder.path, 'facts');
    await dump(place, file);
    const within = pushed.length;
    while (pushed.length < within + 3) await turn();
    await copyBucket(place.bucket, copy.bucket);
    await pushing.stop();
    assert.ok(pushed.length > before + 3);

    await restore(copy, file);
    await using restored = await startServer({ env: environment(copy) });
    for (const [at, image] of pushed.slice(0, before).entries()) await assertPulled(restored.url, `t${at}`, image);
    // What was pushed after the dump is in the bucket alone.
    const { code, stdout } = await gantry(restored, copy, 'verify', '--orphan-seconds', '0');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /all is well\. [1-9][0-9]* remains/);
    // Also of the push that was going on: its upload is known, and idle once nobody holds it any more.
    for (let rounds = 1; ; rounds++) {
      await gantry(restored, copy, 'garbage', '--orphan-seconds', '0', '--upload-idle-seconds', '0');
      const verified = (await gantry(restored, copy, 'verify', '--orphan-seconds', '0')).stdout;
      if (verified.endsWith('all is well.\n')) break;
      assert.ok(rounds < ROUNDS_MAX, verified);
      await sleep(1000);
    }
    await pushImage(restored.url, 'team/app', 'after', randomImage());
  });

  it('lacks bytes that garbage collection took between the two, but not when bytes were copied before as well', async () => {
    const [place, late, whole] = [await newPlace(), await newPlace(), await newPlace()];
    const image = randomImage([3000, 6 * 1024 * 1024]);
    await using server = await startServer({ env: environment(place), args: NO_LEASE });
    await pushImage(server.url, 'team/app', 'v1', image);
    await copyBucket(place.bucket, whole.bucket);
    const file = join(folder.path, 'facts-of-deleted');
    await dump(place, file);
    const imageIds = [{ imageDigest: image.manifest.digest }];
    assert.equal((await awsCall(server.url, 'BatchDeleteImage', { repositoryName: 'team/app', imageIds })).status, 200);
    assert.match((await gantry(server, place, 'garbage', ...NO_LEASE)).stdout, /deleted 3 blobs/);
    for (const copy of [late, whole]) {
      await copyBucket(place.bucket, copy.bucket);
      await restore(copy, file);
    }

    await using lacking = await startServer({ env: environment(late) });
    const found = await gantry(lacking, late, 'verify');
    assert.deepEqual([found.code, found.stdout.match(/ is missing: /g)?.length], [1, 3], found.stdout);
    await using restored = await startServer({ env: environment(whole) });
    await assertPulled(restored.url, 'v1', image);
    assert.match((await gantry(restored, whole, 'verify')).stdout, /all is well/);
  });
});

/** Pushes images as t0, t1 … one after another; each is in the list when it was acknowledged. */
function keepPushing(url: string, pushed: Image[]): { stop(): Promise<void> } {
  let goesOn = true;
  const ended = (async () => {
    for (let at = 0; goesOn; at++) {
      const image = randomImage([3000 + at, ...(at % 4 === 0 ? [6 * 1024 * 1024] : [])]);
      await pushImage(url, 'team/app', `t${at}`, image);
      pushed.push(image);
    }
  })();
  return {
    stop() {
      goesOn = false;
      return ended;
    },
  };
}

async function assertPulled(url: string, tag: string, image: Image): Promise<void> {
  const manifest = await http(`${url}/v2/team/app/manifests/${tag}`);
  assert.ok(manifest.body.equals(image.manifest.bytes), manifest.text());
  for (const { digest, bytes } of [image.config, ...image.layers]) {
    assert.ok((await http(`${url}/v2/team/app/blobs/${digest}`)).body.equals(bytes), digest);
  }
}

/** What `aws s3 sync` does without `--delete`: adds what is not there. */
function copyBucket(from: S3BlobStoreOptions, to: S3BlobStoreOptions): Promise<void> {
  return withClient(from, async (client) => {
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: from.bucket })) {
      for (const { Key = '' } of Contents) {
        const source = { CopySource: `${from.bucket}/${encodeURIComponent(Key)}`, Bucket: to.bucket, Key };
        // What an upload staged may be gone by now.
        await client.send(new CopyObjectCommand(source)).catch((error: Error) => {
          if (!/NoSuchKey|NotFound/.test(error.name)) throw error;
        });
      }
    }
  });
}
