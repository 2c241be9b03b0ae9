import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ECR } from '@aws-sdk/client-ecr';
import { pushImage, randomImage } from '../support/images.ts';
import { startKmsServer } from '../support/kms-server.ts';
import { call, endUploads, fillRegistry, gantry, gantryWords, refusal } from '../support/moving-world.ts';
import { execute, type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { answersOf } from '../support/registry-answers.ts';
import { type S3Server, startS3Server, whyNoS3Server } from '../support/s3-server.ts';
import { cleanEnvironment, startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { contentOfBucket, environmentOf, newBucket } from './s3-bucket.ts';

const ARGS = ['--lifecycle-interval-seconds', '0'];
const SERVE = ['serve', '--port', '0'];
const PART_BYTES = 6 * 1024 * 1024;

describe('gantry move, to a database and a bucket', { skip: withoutPostgres || (whyNoS3Server() ?? false) }, () => {
  let postgres: PostgresServer;
  let s3: S3Server;
  before(async () => {
    postgres = await startPostgres();
    s3 = await startS3Server();
  });
  after(async () => {
    await s3?.[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
  });

  /** Where a registry is to go, as `move` is told of it, and then as `serve` is. */
  const newPlace = async () => {
    const bucket = await newBucket(s3);
    const { GANTRY_BLOBS = '', ...credentials } = environmentOf(bucket);
    const url = await postgres.newDatabase();
    const to = { GANTRY_TO_DATABASE_URL: url, GANTRY_TO_BLOBS: GANTRY_BLOBS, ...credentials };
    return { bucket, url, to, there: { GANTRY_DATABASE_URL: url, GANTRY_BLOBS, ...credentials }, credentials };
  };

  it('carries everything there, killed again and again while pushes go on, and back', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    const [from, archive, back] = ['from', 'archive', 'back'].map((name) => join(folder.path, name));
    await using server = await startServer({ data: from!, args: [...ARGS, '--archive-dir', archive!] });
    const filled = await fillRegistry(server, PART_BYTES);
    const { to, there, credentials } = await newPlace();
    const pushing = new AbortController();
    const pushes = pushUntil(server.url, pushing.signal);
    pushes.catch(() => {});
    for (const milliseconds of [300, 1000, 1400, 1800]) await killedAfter(milliseconds, from!, archive!, to);
    const ahead = await gantry(from!, ['move', '--archive-dir', archive!], to);
    assert.match(ahead, /To end the move stop the server/);
    await refusal(from!, ['move', '--archive-dir', archive!, '--switch'], to);
    assert.match(await refusal(join(folder.path, 'node'), SERVE, there), /on its way here from/);
    pushing.abort();
    const pushed = await pushes;
    const expected = await answersOf(server.url);
    await server.stop();

    for (const milliseconds of [1100, 1500]) await killedAfter(milliseconds, from!, archive!, to, '--switch');
    const said = await gantry(from!, ['move', '--archive-dir', archive!, '--switch', '--verify', 'full'], to);
    assert.match(
      said,
      /Serve it with:\n {2}gantry serve --data FOLDER --database-url 'postgres:.* --blobs 's3:.* --key-file FILE/,
    );
    assert.match(await refusal(from!, [...SERVE, '--archive-dir', archive!]), /This registry has moved to/);
    const node = { data: join(folder.path, 'node'), env: there };
    const keyed = ['--key-file', join(from!, 'access.key')];
    {
      await using moved = await startServer({ ...node, args: [...ARGS, ...keyed] });
      assert.deepEqual(await answersOf(moved.url), expected);
      for (const { tag, digest } of pushed) assert.equal(await digestOfTag(moved.url, tag), digest);
      await endUploads(moved.url, filled);
      await pushImage(moved.url, 'team/app', 'there', randomImage([3000, PART_BYTES]));
    }
    assert.match(await gantry(node.data, ['verify'], there), /all is well/);
    await using enforced = await startServer({ ...node, args: [...ARGS, ...keyed, '--auth', 'enforced'] });
    const reader = new ECR({ endpoint: enforced.url, region: 'us-east-1', credentials: filled.reader, maxAttempts: 1 });
    assert.equal((await reader.describeRepositories({})).repositories?.length, 2);
    await enforced.stop();

    const returning = { ...there, ...credentials, GANTRY_TO_DATA_DIR: back! };
    await using last = await startServer({ ...node, args: [...ARGS, ...keyed] });
    const shared = await answersOf(last.url);
    await gantry(node.data, ['move'], returning);
    assert.match(await refusal(node.data, ['move', '--switch'], returning), /stop/);
    await last.stop();
    await gantry(node.data, ['move', '--switch'], returning);
    assert.match(await refusal(node.data, [...SERVE, ...keyed], there), /This registry has moved to/);
    await using home = await startServer({ data: back!, args: [...ARGS, ...keyed] });
    assert.deepEqual(await answersOf(home.url), shared);
    assert.match(await gantry(back!, ['verify']), /all is well/);
  });

  it('carries facts alone: bytes stay in the folder', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    const { url } = await newPlace();
    await using server = await startServer({ data: folder.path, args: ARGS });
    const filled = await fillRegistry(server, PART_BYTES);
    const expected = await answersOf(server.url);
    await server.stop();
    const words = ['move', '--to-database', url];
    assert.match(await gantry(folder.path, words), /^No bytes are to move/);
    await gantry(folder.path, [...words, '--switch']);
    assert.match(await refusal(folder.path, SERVE), /This registry has moved to/);
    const there = { GANTRY_DATABASE_URL: url };
    await using moved = await startServer({ data: folder.path, args: ARGS, env: there });
    assert.deepEqual(await answersOf(moved.url), expected);
    await endUploads(moved.url, filled);

    // A server without the folder's lock, of another node, is seen by its connections.
    await using other = await startServer({ args: ARGS, env: there });
    await moved.stop();
    const home = ['move', '--database-url', url, '--to-data', folder.path];
    await rm(join(folder.path, 'gantry.db'));
    assert.match(
      await refusal(folder.path, [...home, '--switch']),
      /work on postgres:\S+ \(\d+ connections\): stop them/,
    );
    await other.stop();
    await gantry(folder.path, [...home, '--switch']);
    assert.match(await gantry(folder.path, ['verify']), /all is well/);
  });

  it('carries bytes alone: facts stay, and point at the bucket from one moment on', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    const { there, bucket, credentials } = await newPlace();
    const blobs = { GANTRY_BLOBS: there.GANTRY_BLOBS, ...credentials };
    const to = { GANTRY_TO_BLOBS: there.GANTRY_BLOBS, ...credentials };
    await using server = await startServer({ data: folder.path, args: ARGS });
    const filled = await fillRegistry(server, PART_BYTES);
    await gantry(folder.path, ['move'], to);
    const expected = await answersOf(server.url);
    await server.stop();
    assert.match(await gantry(folder.path, ['move', '--switch'], to), /^Bytes: \d+ blobs, 0 of them/);
    assert.match(await refusal(folder.path, SERVE), /The bytes of this registry have moved to/);
    assert.match(await refusal(folder.path, ['move', '--undo']), /move its bytes back/);
    await using moved = await startServer({ data: folder.path, args: ARGS, env: blobs });
    assert.deepEqual(await answersOf(moved.url), expected);
    await endUploads(moved.url, filled);
    await moved.stop();
    assert.match(await gantry(folder.path, ['verify'], blobs), /all is well/);
    assert.deepEqual((await contentOfBucket(bucket)).multiparts, []);
    await rm(join(folder.path, 'blobs'), { recursive: true });
    await gantry(folder.path, ['move', '--switch', '--to-data', folder.path], blobs);
    assert.match(await gantry(folder.path, ['verify']), /all is well/);
  });

  it('refuses a bucket that it cannot use, and places that hold something', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    const { url, to, there, bucket } = await newPlace();
    await using server = await startServer({ data: folder.path });
    await pushImage(server.url, 'team/app', 'v1', randomImage());
    await server.stop();
    const move = (env: Record<string, string>) => refusal(folder.path, ['move', '--switch'], env);
    const strange = { ...to, AWS_SECRET_ACCESS_KEY: 'wrong' };
    assert.match(await move(strange), /Bucket \S+ at \S+ may not be used with these credentials/);
    const missing = { ...to, GANTRY_TO_BLOBS: to.GANTRY_TO_BLOBS.replace(bucket.bucket, 'no-such-bucket') };
    assert.match(await move(missing), /There is no bucket no-such-bucket/);
    await using other = await startServer({ env: there });
    await pushImage(other.url, 'team/app', 'v1', randomImage());
    await other.stop();
    assert.match(await move(to), /is not empty: there are rows in its table repositories/);
    assert.match(
      await move({ ...to, GANTRY_TO_DATABASE_URL: await postgres.newDatabase() }),
      /is not empty: there are bytes/,
    );
    await execute(url, 'update migrations set version = version + 100');
    assert.match(await move(to), /holds a registry of form \d+ already/);
    assert.match(await gantry(folder.path, ['verify']), /all is well/);
  });

  it('takes encrypted bytes to no bucket that would keep them plain, nor to one that does not know their keys', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    const { to, there, bucket } = await newPlace();
    const masterKeyFile = join(folder.path, 'master-key');
    await writeFile(masterKeyFile, `${'ab'.repeat(32)}\n`, { mode: 0o600 });
    const keyed = ['--master-key-file', masterKeyFile];
    const data = join(folder.path, 'data');
    await using server = await startServer({ data, args: keyed });
    await pushImage(server.url, 'team/app', 'v1', randomImage());
    assert.match(await refusal(data, ['move', ...keyed], to), /would keep them plain: .* a bucket sse=AES256/);
    await server.stop();

    await using kms = await startKmsServer();
    for (const [name, env, why] of [
      ['keyless', {}, /which does not know the keys of this server/],
      ['keyed', kms.environment, /Server-side encryption is not supported/],
    ] as const) {
      const of = join(folder.path, name);
      await using other = await startServer({ data: of, env });
      const key = env === kms.environment ? { kmsKey: kms.keys.create() } : {};
      const encryptionConfiguration = { encryptionType: 'KMS', ...key };
      await call(other.url, 'CreateRepository', { repositoryName: 'under/kms', encryptionConfiguration });
      await pushImage(other.url, 'under/kms', 'v1', randomImage());
      await other.stop();
      assert.match(await refusal(of, ['move'], { ...env, ...to }), why);
    }
    // Each was refused before anything of it was written: another registry may have the place.
    assert.deepEqual(await contentOfBucket(bucket), { objects: ['ready'], multiparts: [] });
    await using fresh = await startServer({ env: there });
    await pushImage(fresh.url, 'team/app', 'v1', randomImage());
  });

  it('copies what comes until the server stops, and switches at once', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    const { to, there } = await newPlace();
    await using server = await startServer({ data: folder.path, args: ARGS });
    await pushImage(server.url, 'team/app', 'v1', randomImage());
    const [file = '', ...words] = gantryWords(folder.path, ['move', '--switch', '--wait']);
    const moving = spawn(file, words, { env: { ...cleanEnvironment(), ...to }, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(moving, 'exit');
    const said = text(moving.stdout);
    assert.match(String((await once(moving.stderr, 'data'))[0]), /Stop the server now/);
    await pushImage(server.url, 'team/app', 'v2', randomImage());
    const expected = await answersOf(server.url);
    await server.stop();
    assert.deepEqual(await ended, [0, null]);
    assert.match(await said, /Moved and verified in/);
    await using moved = await startServer({ data: join(folder.path, 'node'), args: ARGS, env: there });
    assert.deepEqual(await answersOf(moved.url), expected);
  });
});

/** For so long another process keeps a move that it was killed in. */
const HELD_MILLISECONDS = 6000;

/** A move that is killed so long after it found nobody else at work, if it has not ended by then. */
async function killedAfter(
  milliseconds: number,
  data: string,
  archive: string,
  env: Record<string, string>,
  ...words: string[]
): Promise<void> {
  const [file = '', ...rest] = gantryWords(data, ['move', '--archive-dir', archive, ...words]);
  const child = spawn(file, rest, { env: { ...cleanEnvironment(), ...env }, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await Promise.race([sleep(milliseconds), ended]);
  child.kill('SIGKILL');
  await ended;
  await sleep(HELD_MILLISECONDS);
}

/** Pushes small images one after the other; told are those that were acknowledged. */
async function pushUntil(url: string, signal: AbortSignal): Promise<{ tag: string; digest: string }[]> {
  const pushed: { tag: string; digest: string }[] = [];
  for (let count = 0; !signal.aborted && count < 60; count++) {
    const image = randomImage([1000 + count]);
    await pushImage(url, 'team/app', `p${count}`, image);
    pushed.push({ tag: `p${count}`, digest: image.manifest.digest });
    await sleep(100);
  }
  return pushed;
}

async function digestOfTag(url: string, tag: string): Promise<string | null> {
  return (await fetch(`${url}/v2/team/app/manifests/${tag}`, { method: 'HEAD' })).headers.get('docker-content-digest');
}
