import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { type Image, pushImage, randomImage } from '../support/images.ts';
import { call, gantry, refusal } from '../support/moving-world.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { answersOf, pulled } from '../support/registry-answers.ts';
import { type S3Server, startS3Server, whyNoS3Server } from '../support/s3-server.ts';
import { startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../system/until.ts';
import { environmentOf, newBucket } from './s3-bucket.ts';

const ARGS = ['--lifecycle-interval-seconds', '0'];
const REPOSITORY = { repositoryName: 'team/app' };

describe('gantry move, of bytes alone with an archive', { skip: withoutPostgres || (whyNoS3Server() ?? false) }, () => {
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

  it('takes archived bytes from archive to archive, to a folder without one, to a bucket and back', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    const place = (name: string) => join(folder.path, name);
    const url = await postgres.newDatabase();
    const facts = { GANTRY_DATABASE_URL: url };
    // The facts are named as where they are already: they stay.
    const staying = ['--to-database', url];
    const archive = ['--archive-dir', place('archive')];
    await using server = await startServer({ data: place('one'), args: [...ARGS, ...archive], env: facts });
    const images = [randomImage([40_000, 6000]), randomImage([50_000]), randomImage([60_000]), randomImage([70_000])];
    await call(server.url, 'CreateRepository', REPOSITORY);
    await pushImage(server.url, 'team/app', 'kept', randomImage([2000]));
    for (const [index, image] of images.entries()) {
      await pushImage(server.url, 'team/app', `old${index}`, image);
      await setClass(server.url, image, 'ARCHIVE');
    }
    const archived = 3 + 2 + 2 + 2;
    await until(async () => (await filesBelow(place('archive'))) === archived);
    const expected = await answersOf(server.url);
    await server.stop();

    const other = ['--to-data', place('two'), '--to-archive-dir', place('archive-two')];
    const said = await refusal(place('one'), ['move', ...staying, ...other, '--switch'], facts);
    assert.match(said, /has an archive: say where it is with --archive-dir/);
    await gantry(place('one'), ['move', ...archive, ...staying, ...other, '--switch', '--verify', 'full'], facts);
    assert.equal(await filesBelow(place('archive-two')), archived);
    const archiveTwo = ['--archive-dir', place('archive-two')];
    assert.match(await refusal(place('one'), ['serve', ...archive], facts), /The bytes of this registry have moved to/);
    {
      assert.match(await refusal(place('two'), ['serve'], facts), /has an archive/);
      await using two = await startServer({ data: place('two'), args: [...ARGS, ...archiveTwo], env: facts });
      assert.deepEqual(await answersOf(two.url), expected);
      await isRestored(two.url, images[0]!);
      // What comes back leaves the archive.
      assert.equal(await filesBelow(place('archive-two')), archived - 3);
    }
    assert.match(await gantry(place('two'), ['verify', ...archiveTwo], facts), /all is well/);

    await gantry(place('two'), ['move', ...archiveTwo, ...staying, '--to-data', place('three'), '--switch'], facts);
    {
      await using three = await startServer({ data: place('three'), args: ARGS, env: facts });
      await isRestored(three.url, images[1]!);
    }
    const bucket = environmentOf(await newBucket(s3));
    const { GANTRY_BLOBS = '', ...credentials } = bucket;
    await gantry(place('three'), ['move', '--switch'], { ...facts, ...credentials, GANTRY_TO_BLOBS: GANTRY_BLOBS });
    const inBucket = { ...facts, ...bucket };
    {
      await using there = await startServer({ data: place('node'), args: ARGS, env: inBucket });
      await isRestored(there.url, images[2]!);
      const { imageDetails } = await call(there.url, 'DescribeImages', { ...REPOSITORY, imageIds: [idOf(images[3]!)] });
      assert.equal(imageDetails[0].imageStatus, 'ARCHIVED');
    }
    const home = ['--to-data', place('five'), '--to-archive-dir', place('archive-five')];
    await gantry(place('node'), ['move', ...staying, ...home, '--switch'], inBucket);
    const archiveFive = ['--archive-dir', place('archive-five')];
    await using five = await startServer({ data: place('five'), args: [...ARGS, ...archiveFive], env: facts });
    // Nothing had moved to an archive in the bucket, so there is nothing to bring back.
    assert.equal(await filesBelow(place('archive-five')), 0);
    await isRestored(five.url, images[3]!);
    await setClass(five.url, images[0]!, 'ARCHIVE');
    await until(async () => (await filesBelow(place('archive-five'))) === 3);
    await five.stop();
    assert.match(await gantry(place('five'), ['verify', ...archiveFive], facts), /all is well/);
  });
});

function idOf({ manifest }: Image) {
  return { imageDigest: manifest.digest };
}

function setClass(url: string, image: Image, targetStorageClass: 'ARCHIVE' | 'STANDARD') {
  return call(url, 'UpdateImageStorageClass', { ...REPOSITORY, imageId: idOf(image), targetStorageClass });
}

/** Asks for the image again, waits until it is active, and pulls all of it. */
async function isRestored(url: string, image: Image): Promise<void> {
  await setClass(url, image, 'STANDARD');
  const path = `${url}/v2/team/app/manifests/${image.manifest.digest}`;
  await until(async () => (await http(path, { headers: { Accept: image.mediaType } })).status === 200);
  for (const { digest, bytes } of [image.config, ...image.layers]) {
    assert.ok((await pulled(url, 'team/app', digest)).equals(bytes));
  }
}

async function filesBelow(archive: string): Promise<number> {
  const entries = await readdir(join(archive, 'blobs'), { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).length;
}
