import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { type KeyedS3, startKeyedS3 } from '../support/keyed-s3.ts';
import { type KmsServer, startKmsServer } from '../support/kms-server.ts';
import { call, gantry, refusal } from '../support/moving-world.ts';
import { answersOf } from '../support/registry-answers.ts';
import { startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ARGS = ['--lifecycle-interval-seconds', '0'];
const MIB = 1024 * 1024;

describe('gantry move, of layers under keys into a bucket and out of it', () => {
  let kms: KmsServer;
  let s3: KeyedS3;
  before(async () => {
    kms = await startKmsServer();
    s3 = await startKeyedS3(kms.keys);
  });
  after(async () => {
    await s3?.[Symbol.asyncDispose]();
    await kms?.[Symbol.asyncDispose]();
  });

  const bucketAt = (prefix: string) => s3.url.replace('s3://bucket?', `s3://bucket/${prefix}?`);
  const access = { GANTRY_S3_ACCESS_KEY_ID: 'id', GANTRY_S3_SECRET_ACCESS_KEY: 'secret' };

  it('keeps them under their keys there and back, and loses no upload but those under a key', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    const [from, back] = [join(folder.path, 'from'), join(folder.path, 'back')];
    const keys = { KMS: kms.keys.create(), KMS_DSSE: kms.keys.create() };
    await using server = await startServer({ data: from, args: ARGS, env: kms.environment });
    for (const encryptionType of ['KMS', 'KMS_DSSE', 'AES256'] as const) {
      const kmsKey = encryptionType === 'AES256' ? {} : { kmsKey: keys[encryptionType] };
      const encryptionConfiguration = { encryptionType, ...kmsKey };
      const repositoryName = nameOf(encryptionType);
      await call(server.url, 'CreateRepository', { repositoryName, encryptionConfiguration });
      await pushImage(server.url, repositoryName, 'v1', randomImage([3000, 6 * MIB]));
      await call(server.url, 'InitiateLayerUpload', { repositoryName });
    }
    const half = await halfUpload(server.url, nameOf('KMS'));
    const expected = await answersOf(server.url);
    await server.stop();

    const inBucket = { ...kms.environment, ...access, GANTRY_BLOBS: bucketAt('moved') };
    const to = { ...kms.environment, ...access, GANTRY_TO_BLOBS: bucketAt('moved') };
    const switched = await gantry(from, ['move', '--switch', '--verify', 'full'], to);
    assert.match(switched, /^Bytes: 9 blobs, 9 of them .*\nUnfinished uploads: 1 go on \(0 bytes\); 3 cannot be/);
    const sealsOf = (keyId: string) => [...s3.seals().values()].filter((seal) => seal?.keyId === keyId);
    for (const encryptionType of ['KMS', 'KMS_DSSE'] as const) {
      const seals = sealsOf(keys[encryptionType]);
      assert.ok(seals.length >= 3, String(seals.length));
      const arn = `arn:aws:ecr:us-east-1:000000000000:repository/${nameOf(encryptionType)}`;
      for (const seal of seals) assert.equal(seal?.context['aws:ecr:arn'], arn);
    }
    await using moved = await startServer({ data: from, args: ARGS, env: inBucket });
    assert.deepEqual(await answersOf(moved.url), expected);
    assert.equal((await http(`${moved.url}${half}`)).status, 404);
    await pushImage(moved.url, nameOf('KMS'), 'v2', randomImage([2000]));
    const shared = await answersOf(moved.url);
    await moved.stop();
    assert.match(await gantry(from, ['verify'], inBucket), /all is well/);

    await gantry(from, ['move', '--switch', '--to-data', back, '--verify', 'full'], inBucket);
    await using home = await startServer({ data: back, args: ARGS, env: kms.environment });
    assert.deepEqual(await answersOf(home.url), shared);
    // Under the key again: without it there is no image.
    kms.keys.setState(keys.KMS, 'Disabled');
    await home.stop();
    await using keyless = await startServer({ data: back, args: ARGS, env: kms.environment });
    const manifest = await http(`${keyless.url}/v2/${nameOf('KMS')}/manifests/v1`, { headers: { Accept: '*/*' } });
    assert.equal(manifest.status, 400, manifest.text());
  });

  it('is refused for keys that the bucket does not know, and both sides are as they were', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    const [from, to] = [join(folder.path, 'from'), join(folder.path, 'to')];
    await using server = await startServer({ data: from, args: ARGS });
    await pushImage(server.url, 'team/plain', 'v1', randomImage([1000]));
    const encryptionConfiguration = { encryptionType: 'KMS' };
    await call(server.url, 'CreateRepository', { repositoryName: 'under/kms', encryptionConfiguration });
    await pushImage(server.url, 'under/kms', 'v1', randomImage([2000]));
    const expected = await answersOf(server.url);
    const bucket = { ...access, GANTRY_TO_BLOBS: bucketAt('refused') };
    for (const words of [['move'], ['move', '--to-data', to]]) {
      const said = await refusal(from, words, bucket);
      assert.match(said, /bytes under arn:aws:kms:\S+, which s3:\S+ .* cannot keep: .*--to-database alone.* AES256/);
    }
    await server.stop();
    assert.match(await refusal(from, ['move', '--undo']), /There is no move from here/);
    assert.deepEqual(
      [...s3.seals().keys()].filter((key) => key.startsWith('refused/sealed')),
      [],
    );
    await using again = await startServer({ data: from, args: ARGS });
    assert.deepEqual(await answersOf(again.url), expected);
    await again.stop();

    // A folder does know them, and it may be the one of the move that was refused.
    await gantry(from, ['move', '--to-data', to, '--switch', '--key-file', join(from, 'access.key')]);
    const keyed = [...ARGS, '--key-file', join(from, 'access.key')];
    await using moved = await startServer({ data: to, args: keyed });
    assert.deepEqual(await answersOf(moved.url), expected);
    const files = await readdir(join(to, 'blobs'), { recursive: true, withFileTypes: true });
    assert.ok(files.some((file) => file.isFile()));

    await using other = await startServer({ env: { ...access, GANTRY_BLOBS: bucketAt('refused') } });
    await pushImage(other.url, 'team/app', 'v1', randomImage([1000]));
  });

  it('is refused while a key cannot be used, and goes through once it can', async () => {
    await using folder = await temporaryFolder('gantry-move-');
    const arn = kms.keys.create();
    await using server = await startServer({ data: folder.path, args: ARGS, env: kms.environment });
    const encryptionConfiguration = { encryptionType: 'KMS', kmsKey: arn };
    await call(server.url, 'CreateRepository', { repositoryName: 'under/kms', encryptionConfiguration });
    await pushImage(server.url, 'under/kms', 'v1', randomImage([2000]));
    await server.stop();
    kms.keys.setState(arn, 'Disabled');
    const to = { ...kms.environment, ...access, GANTRY_TO_BLOBS: bucketAt('late') };
    const said = await refusal(folder.path, ['move', '--switch'], to);
    assert.match(said, new RegExp(`under ${arn}, which .* cannot keep: .*disabled`));
    kms.keys.setState(arn, 'Enabled');
    assert.match(await gantry(folder.path, ['move', '--switch'], to), /^Bytes: 2 blobs, 2 of them/);
  });
});

function nameOf(encryptionType: string): string {
  return `under/${encryptionType.toLowerCase()}`;
}

/** Its path. */
async function halfUpload(url: string, repository: string): Promise<string> {
  const begun = await http(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const place = new URL(String(begun.headers.location), url);
  const body = Buffer.alloc(5000, 'half');
  const sent = await http(place.href, { method: 'PATCH', body, headers: { 'Content-Length': body.length } });
  assert.equal(sent.status, 202);
  return place.pathname;
}
