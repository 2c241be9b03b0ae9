import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
import { http } from '../support/http.ts';
import { blobOf, pushBlob, pushImage, randomImage } from '../support/images.ts';
import { type KeyedS3, startKeyedS3 } from '../support/keyed-s3.ts';
import { type KmsServer, startKmsServer } from '../support/kms-server.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, uploadLayer } from './aws-client.ts';
import { refusedForKey, skipKms } from './aws-kms-world.ts';
import { until } from './until.ts';

const MIB = 1024 * 1024;

describe('repositories under a key, with their bytes in a bucket', { skip: skipKms }, () => {
  let kms: KmsServer;
  let s3: KeyedS3;
  let server: RunningServer;
  let ecr: ECR;
  const bucket = () => ({ GANTRY_BLOBS: s3.url, GANTRY_S3_ACCESS_KEY_ID: 'id', GANTRY_S3_SECRET_ACCESS_KEY: 'secret' });
  const create = (repositoryName: string, kmsKey: string, encryptionType: 'KMS' | 'KMS_DSSE' = 'KMS', by = ecr) =>
    by.createRepository({ repositoryName, encryptionConfiguration: { encryptionType, kmsKey } });
  const linkTo = async (repositoryName: string, layerDigest: string) =>
    String((await ecr.getDownloadUrlForLayer({ repositoryName, layerDigest })).downloadUrl);

  before(async () => {
    if (skipKms !== false) return;
    kms = await startKmsServer();
    s3 = await startKeyedS3(kms.keys);
    server = await startServer({ env: { ...kms.environment, ...bucket() } });
    ecr = ecrClient(server.url);
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await s3?.[Symbol.asyncDispose]();
    await kms?.[Symbol.asyncDispose]();
  });

  it('have every object of theirs encrypted by the store under their key', async () => {
    const arn = kms.keys.create();
    for (const [type, mode] of [
      ['KMS', 'aws:kms'],
      ['KMS_DSSE', 'aws:kms:dsse'],
    ] as const) {
      const repositoryName = `kept/${type.toLowerCase().replace('_', '-')}`;
      await create(repositoryName, arn, type);
      const former = new Set(s3.seals().keys());
      const large = blobOf(randomBytes(11 * MIB));
      await uploadLayer(ecr, repositoryName, large);
      const small = blobOf(randomBytes(1000));
      assert.equal((await pushBlob(server.url, repositoryName, small)).status, 201);
      const made = [...s3.seals()].filter(([key]) => !former.has(key));
      assert.ok(made.length >= 2, String(made.length));
      for (const [key, seal] of made) {
        assert.deepEqual([seal?.mode, seal?.keyId], [mode, arn], key);
        const repository = `arn:aws:ecr:us-east-1:000000000000:repository/${repositoryName}`;
        assert.equal(seal?.context['aws:ecr:arn'], repository, key);
      }
      for (const { digest, bytes } of [large, small]) {
        const { status, headers } = await http(`${server.url}/v2/${repositoryName}/blobs/${digest}`);
        assert.equal(status, 307);
        assert.ok((await http(String(headers.location))).body.equals(bytes));
      }
    }
    await ecr.createRepository({ repositoryName: 'kept/plain' });
    const before = new Set(s3.seals().keys());
    assert.equal((await pushBlob(server.url, 'kept/plain', blobOf(randomBytes(100)))).status, 201);
    const plain = [...s3.seals()].filter(([key]) => !before.has(key));
    assert.ok(plain.length > 0);
    for (const [key, seal] of plain) assert.equal(seal, undefined, key);
  });

  it('give and take nothing while the key is disabled, also by a link that was given before', async () => {
    const arn = kms.keys.create();
    const repositoryName = 'bucket/off';
    await create(repositoryName, arn);
    const image = randomImage([3000]);
    await pushImage(server.url, repositoryName, 'latest', image);
    const link = await linkTo(repositoryName, image.config.digest);
    kms.keys.setState(arn, 'Disabled');
    assert.match((await http(link)).text(), /KMS\.DisabledException/);
    const initiated = () => ecr.initiateLayerUpload({ repositoryName });
    await until(() =>
      initiated().then(
        () => false,
        () => true,
      ),
    );
    await refusedForKey(initiated());
    const { failures } = await ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'latest' }] });
    assert.equal(failures?.[0]?.failureCode, 'KmsError');
    assert.equal((await http(`${server.url}/v2/${repositoryName}/blobs/${image.config.digest}`)).status, 400);
    kms.keys.setState(arn, 'Enabled');
    assert.ok((await http(link)).body.equals(image.config.bytes));
  });

  it('are refused for a key that the store alone may not use', async () => {
    const arn = kms.keys.create();
    await create('bucket/late', arn);
    const { uploadId } = await ecr.initiateLayerUpload({ repositoryName: 'bucket/late' });
    // The server believes that the key can be used for as long as a second.
    kms.keys.setState(arn, 'Disabled');
    const part = { repositoryName: 'bucket/late', uploadId, partFirstByte: 0, partLastByte: 9 };
    await refusedForKey(ecr.uploadLayerPart({ ...part, layerPartBlob: randomBytes(10) }));
  });

  it('are refused with what to do when the keys are those of the server', async () => {
    await using local = await startServer({ env: bucket() });
    const made = create('never/made', 'alias/any', 'KMS', ecrClient(local.url));
    assert.match(await refusedForKey(made, 'UnsupportedOperationException'), /--kms aws, or .* AES256/);
    await pushImage(local.url, 'still/plain', 'latest', randomImage());
  });
});
