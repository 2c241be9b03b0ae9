import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { ECR } from '@aws-sdk/client-ecr';
import { pushImage, randomImage } from '../support/images.ts';
import { endUploads, fillRegistry, gantry, refusal } from '../support/moving-world.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { answersOf } from '../support/registry-answers.ts';
import { type S3Server, startS3Server, whyNoS3Server } from '../support/s3-server.ts';
import { startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { contentOfBucket, emptyBut, environmentOf, newBucket } from './s3-bucket.ts';

const ARGS = ['--lifecycle-interval-seconds', '0'];
const SERVE = ['serve', '--port', '0'];
const PART_BYTES = 6 * 1024 * 1024;

describe('gantry move, between databases and between buckets', {
  skip: withoutPostgres || (whyNoS3Server() ?? false),
}, () => {
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

  it('carries bytes from a bucket to another, and on to another prefix of it', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    const [first, second] = [await newBucket(s3), await newBucket(s3)];
    const inFirst = environmentOf(first);
    const inSecond = environmentOf(second);
    await using server = await startServer({ data: folder.path, args: ARGS, env: inFirst });
    const filled = await fillRegistry(server, PART_BYTES, inFirst);
    const to = { ...inFirst, GANTRY_TO_BLOBS: inSecond.GANTRY_BLOBS! };
    assert.match(await gantry(folder.path, ['move'], to), /^Copied \d+ blobs .* 0 were there already/);
    await pushImage(server.url, 'team/app', 'late', randomImage([2000, PART_BYTES]));
    const expected = await answersOf(server.url);
    await server.stop();
    const switched = await gantry(folder.path, ['move', '--switch', '--verify', 'full'], to);
    assert.match(switched, /^Bytes: \d+ blobs, 3 of them .*\nUnfinished uploads: 2 go on/);
    assert.match(await refusal(folder.path, SERVE, inFirst), /The bytes of this registry have moved to/);
    await using moved = await startServer({ data: folder.path, args: ARGS, env: inSecond });
    assert.deepEqual(await answersOf(moved.url), expected);
    await endUploads(moved.url, filled);
    const ended = await answersOf(moved.url);
    await moved.stop();
    assert.match(await gantry(folder.path, ['verify'], inSecond), /all is well/);

    const below = environmentOf({ ...second, prefix: `${second.prefix}/below` });
    const further = { ...inSecond, GANTRY_TO_BLOBS: below.GANTRY_BLOBS! };
    await gantry(folder.path, ['move', '--switch'], further);
    // The former place is not needed any more, also where it surrounds the present one.
    const present = (await contentOfBucket(second)).objects.filter((key) => key.startsWith('below/'));
    assert.ok(present.length > 0);
    await emptyBut(second, 'below/');
    await using there = await startServer({ data: folder.path, args: ARGS, env: below });
    assert.deepEqual(await answersOf(there.url), ended);
    assert.match(await gantry(folder.path, ['verify'], below), /all is well/);
  });

  it('carries facts from a database to another, while bytes stay in their bucket', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    const bucket = await newBucket(s3);
    const [first, second] = [await postgres.newDatabase(), await postgres.newDatabase()];
    const keyed = { ...environmentOf(bucket), GANTRY_KEY_FILE: join(folder.path, 'access.key') };
    const inFirst = { ...keyed, GANTRY_DATABASE_URL: first };
    const inSecond = { ...keyed, GANTRY_DATABASE_URL: second };
    await using server = await startServer({ data: folder.path, args: ARGS, env: inFirst });
    const filled = await fillRegistry(server, PART_BYTES, inFirst);
    const expected = await answersOf(server.url);
    const to = { ...inFirst, GANTRY_TO_DATABASE_URL: second };
    assert.match(await gantry(folder.path, ['move'], to), /^No bytes are to move/);
    assert.match(await refusal(folder.path, ['move', '--switch'], to), /work on postgres:\S+ \(\d+ connections\)/);
    assert.match(await refusal(join(folder.path, 'node'), SERVE, inSecond), /on its way here from/);
    await server.stop();
    // One of another registry on the same database server is in nobody's way.
    await using other = await startServer({ args: ARGS, env: { GANTRY_DATABASE_URL: await postgres.newDatabase() } });
    assert.match(await gantry(folder.path, ['move', '--switch'], to), /^Unfinished|^Facts: \d+ rows/);
    await other.stop();
    assert.match(await refusal(folder.path, SERVE, inFirst), /This registry has moved to/);
    await using moved = await startServer({ data: folder.path, args: ARGS, env: inSecond });
    assert.deepEqual(await answersOf(moved.url), expected);
    await endUploads(moved.url, filled);
    await pushImage(moved.url, 'team/app', 'there', randomImage([3000]));
    await moved.stop();
    assert.match(await gantry(folder.path, ['verify'], inSecond), /all is well/);
    await using enforced = await startServer({
      data: folder.path,
      args: [...ARGS, '--auth', 'enforced'],
      env: inSecond,
    });
    const reader = new ECR({ endpoint: enforced.url, region: 'us-east-1', credentials: filled.reader, maxAttempts: 1 });
    assert.equal((await reader.describeRepositories({})).repositories?.length, 2);
  });

  it('carries both at once to another database and another bucket', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    const [from, to] = [await newBucket(s3), await newBucket(s3)];
    const [first, second] = [await postgres.newDatabase(), await postgres.newDatabase()];
    const keyed = { GANTRY_KEY_FILE: join(folder.path, 'access.key') };
    const here = { ...environmentOf(from), ...keyed, GANTRY_DATABASE_URL: first };
    const there = { ...environmentOf(to), ...keyed, GANTRY_DATABASE_URL: second };
    await using server = await startServer({ data: folder.path, args: ARGS, env: here });
    const filled = await fillRegistry(server, PART_BYTES, here);
    const moving = { ...here, GANTRY_TO_DATABASE_URL: second, GANTRY_TO_BLOBS: environmentOf(to).GANTRY_BLOBS! };
    await gantry(folder.path, ['move'], moving);
    const expected = await answersOf(server.url);
    await server.stop();
    await gantry(folder.path, ['move', '--switch'], moving);
    await using moved = await startServer({ data: folder.path, args: ARGS, env: there });
    assert.deepEqual(await answersOf(moved.url), expected);
    await endUploads(moved.url, filled);
    assert.match(await gantry(folder.path, ['verify'], there), /all is well/);
    await moved.stop();
    // As it was, and nothing of the target is touched by it.
    assert.match(await gantry(folder.path, ['move', '--undo'], here), /is served from \S+ .* again/);
    await using again = await startServer({ data: folder.path, args: ARGS, env: here });
    assert.deepEqual(await answersOf(again.url), expected);
  });

  it('says which row of an old folder the database cannot keep, before either side knows of the move', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    await using server = await startServer({ data: folder.path, args: ARGS });
    await pushImage(server.url, 'team/app', 'v1', randomImage([2000]));
    const expected = await answersOf(server.url);
    await server.stop();
    const update = (text: string) => {
      using database = new DatabaseSync(join(folder.path, 'gantry.db'));
      database.exec(text);
    };
    // As a Gantry wrote it that did not refuse the character yet.
    update('update images set artifact_type = artifact_type || char(0)');
    const url = await postgres.newDatabase();
    const words = ['move', '--to-database', url];
    for (const more of [[], ['--switch']]) {
      const said = await refusal(folder.path, [...words, ...more]);
      assert.match(
        said,
        /postgres:\S+: its texts cannot hold .* artifact_type in the row of table images with id 1 does/,
      );
    }
    assert.match(await refusal(folder.path, ['move', '--undo']), /There is no move from here/);
    update('update images set artifact_type = substr(artifact_type, 1, instr(artifact_type, char(0)) - 1)');
    assert.match(await gantry(folder.path, [...words, '--switch']), /^Facts: /);
    await using moved = await startServer({ data: folder.path, args: ARGS, env: { GANTRY_DATABASE_URL: url } });
    assert.deepEqual(await answersOf(moved.url), expected);
  });
});
