import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
import { onCluster } from '../support/cluster-mode.ts';
import { http } from '../support/http.ts';
import { blobOf, digestOf, pushBlob } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, refused, uploadLayer, uploadParts } from './aws-client.ts';

const MIB = 1024 * 1024;
const repositoryName = 'layers';
const nobody = '00000000-0000-0000-0000-000000000000';
const wrong = digestOf('other bytes');
const inUpload = (uploadId: unknown) =>
  `The upload with id '${uploadId}' in the repository with name 'layers' in registry with id '000000000000'`;

describe('the layer pipeline of the ECR API', () => {
  let server: RunningServer;
  let ecr: ECR;

  before(async () => {
    server = await startServer();
    ecr = ecrClient(server.url);
    await ecr.createRepository({ repositoryName });
    await ecr.createRepository({ repositoryName: 'other' });
  });
  after(() => server[Symbol.asyncDispose]());

  const part = (uploadId: unknown, first: number, bytes: Uint8Array, more: object = {}) =>
    ecr.uploadLayerPart({
      repositoryName,
      uploadId: String(uploadId),
      partFirstByte: first,
      partLastByte: first + bytes.length - 1,
      layerPartBlob: bytes,
      ...more,
    });
  const complete = (uploadId: unknown, layerDigests: string[], more: object = {}) =>
    ecr.completeLayerUpload({ repositoryName, uploadId: String(uploadId), layerDigests, ...more });
  const availability = async (digest: string, repository = repositoryName) => {
    const { layers } = await ecr.batchCheckLayerAvailability({ repositoryName: repository, layerDigests: [digest] });
    return layers?.[0]?.layerAvailability;
  };

  it('takes a layer of several parts and tells its digest', async () => {
    const layer = blobOf(randomBytes(12 * MIB + 12_345));
    const { partSize, uploadId } = await ecr.initiateLayerUpload({ repositoryName });
    assert.equal(partSize, 10 * MIB);
    assert.match(String(uploadId), /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    const first = await part(uploadId, 0, layer.bytes.subarray(0, 5 * MIB));
    assert.partialDeepStrictEqual(first, {
      registryId: '000000000000',
      repositoryName,
      uploadId,
      lastByteReceived: 5 * MIB - 1,
    });
    await part(uploadId, 5 * MIB, layer.bytes.subarray(5 * MIB, 12 * MIB));
    await part(uploadId, 12 * MIB, layer.bytes.subarray(12 * MIB));
    assert.equal(await availability(layer.digest), 'UNAVAILABLE');
    assert.partialDeepStrictEqual(await complete(uploadId, [layer.digest]), {
      registryId: '000000000000',
      repositoryName,
      uploadId,
      layerDigest: layer.digest,
    });
    assert.equal(await availability(layer.digest), 'AVAILABLE');
    assert.equal(await availability(layer.digest, 'other'), 'UNAVAILABLE');
    const pulled = await http(`${server.url}/v2/layers/blobs/${layer.digest}`);
    assert.ok(pulled.body.equals(layer.bytes));
  });

  it('takes parts of 20 MiB and no larger ones', async () => {
    const { uploadId } = await ecr.initiateLayerUpload({ repositoryName });
    const bytes = randomBytes(20 * MIB + 1);
    const message =
      "Invalid parameter at 'layerPartBlob' failed to satisfy constraint: 'Member must have length less than or equal to 20971520'";
    await refused(part(uploadId, 0, bytes), 'InvalidParameterException', message);
    const { lastByteReceived } = await part(uploadId, 0, bytes.subarray(1));
    assert.equal(lastByteReceived, 20 * MIB - 1);
    assert.equal((await complete(uploadId, [digestOf(bytes.subarray(1))])).layerDigest, digestOf(bytes.subarray(1)));
  });

  it('refuses gaps, overlaps and repeats, and says where to go on', async () => {
    const bytes = randomBytes(1000);
    const { uploadId } = await ecr.initiateLayerUpload({ repositoryName });
    const name = 'InvalidLayerPartException';
    await refused(part(uploadId, 5, bytes), name, 'First byte of the layer part is 5 instead of 0');
    await part(uploadId, 0, bytes);
    for (const first of [0, 999, 1001]) {
      const message = `First byte of the layer part is ${first} instead of 1000`;
      const error = await refused(part(uploadId, first, bytes), name, message);
      const facts = { registryId: '000000000000', repositoryName, uploadId, lastValidByteReceived: 999 };
      assert.partialDeepStrictEqual(error, facts);
    }
    await part(uploadId, 1000, bytes);
    const layerDigest = digestOf(Buffer.concat([bytes, bytes]));
    await refused(complete(uploadId, [layerDigest]), 'LayerPartTooSmallException');
  });

  it('refuses parts whose length is not what they announce', async () => {
    const { uploadId } = await ecr.initiateLayerUpload({ repositoryName });
    const bytes = randomBytes(100);
    const name = 'InvalidLayerPartException';
    for (const partLastByte of [98, 100, 0]) await refused(part(uploadId, 0, bytes, { partLastByte }), name);
    await refused(part(uploadId, 0, Buffer.alloc(0), { partLastByte: 0 }), name);
    await refused(part(uploadId, 0, bytes, { partLastByte: -1 }), 'InvalidParameterException', /'partLastByte'/);
    assert.equal((await part(uploadId, 0, bytes)).lastByteReceived, 99);
  });

  it('refuses a part beyond the largest layer', async () => {
    const { uploadId } = await ecr.initiateLayerUpload({ repositoryName });
    const first = 52_000 * MIB;
    await refused(part(uploadId, first, Buffer.alloc(1)), 'InvalidLayerPartException');
  });

  it('tells a second writer to try again while another one writes', async () => {
    const { uploadId } = await ecr.initiateLayerUpload({ repositoryName });
    const url = `${server.url}/v2/layers/blobs/uploads/${uploadId}`;
    const body = new PassThrough();
    const writing = http(url, { method: 'PATCH', body });
    // Of a long request a bucket says how far it has come every 64 MiB.
    body.write(randomBytes((onCluster ? 96 : 2) * MIB));
    const received = async () => Number((await http(url)).headers.range?.split('-')[1] ?? 0);
    for (let tries = 0; (await received()) === 0; tries += 1) assert.ok(tries < 1000, 'no byte of the PATCH arrived');
    await refused(part(uploadId, 0, Buffer.alloc(1)), 'ThrottlingException', /receiving bytes from another request/);
    body.end();
    assert.equal((await writing).status, 202);
  });

  it('refuses to complete an upload without parts', async () => {
    const { uploadId } = await ecr.initiateLayerUpload({ repositoryName });
    const message = `${inUpload(uploadId)} cannot be completed because it does not have any parts`;
    await refused(complete(uploadId, [wrong]), 'EmptyUploadException', message);
  });

  it('refuses a part below 5 MiB that is not the last', async () => {
    const bytes = randomBytes(5 * MIB);
    const { uploadId } = await ecr.initiateLayerUpload({ repositoryName });
    await part(uploadId, 0, bytes.subarray(1));
    await part(uploadId, 5 * MIB - 1, bytes);
    const message = 'All layer parts except the last part should be at least 5MB';
    // Before the digest is looked at: this one would not match either.
    await refused(complete(uploadId, [wrong]), 'LayerPartTooSmallException', message);
  });

  it('refuses bytes that have none of the digests, and takes them with the right one afterwards', async () => {
    const layer = blobOf(randomBytes(3000));
    const uploadId = await uploadParts(ecr, repositoryName, layer.bytes);
    const message = 'None of the provided layer digests match the calculated layer digest';
    await refused(complete(uploadId, [wrong, digestOf('more')]), 'InvalidLayerException', message);
    assert.equal(await availability(layer.digest), 'UNAVAILABLE');
    assert.equal((await complete(uploadId, [wrong, layer.digest])).layerDigest, layer.digest);
  });

  it('does not verify digests of other algorithms', async () => {
    const layer = blobOf(randomBytes(3000));
    const uploadId = await uploadParts(ecr, repositoryName, layer.bytes);
    const { layerDigest } = await complete(uploadId, ['tarsum+sha256:abc', `md5:${'0'.repeat(32)}`]);
    assert.equal(layerDigest, layer.digest);
  });

  it('refuses a layer that is there already, after its digest was checked', async () => {
    const layer = blobOf(randomBytes(3000));
    await uploadLayer(ecr, repositoryName, layer);
    const again = await uploadParts(ecr, repositoryName, layer.bytes);
    await refused(complete(again, [wrong]), 'InvalidLayerException');
    await refused(complete(again, [layer.digest]), 'LayerAlreadyExistsException', new RegExp(layer.digest));
    await refused(complete(again, [layer.digest]), 'UploadNotFoundException');
    await uploadLayer(ecr, 'other', layer);
  });

  it('knows uploads by repository, and forgets them when they are complete', async () => {
    const layer = blobOf(randomBytes(3000));
    const uploadId = await uploadParts(ecr, repositoryName, layer.bytes);
    const name = 'UploadNotFoundException';
    const elsewhere = { repositoryName: 'other' };
    await refused(complete(uploadId, [layer.digest], elsewhere), name);
    await refused(part(uploadId, 3000, Buffer.alloc(1), elsewhere), name);
    await complete(uploadId, [layer.digest]);
    await refused(part(uploadId, 3000, Buffer.alloc(1)), name, `${inUpload(uploadId)} does not exist`);
    await refused(complete(nobody, [layer.digest]), name, `${inUpload(nobody)} does not exist`);
    await refused(part(nobody, 0, Buffer.alloc(1)), name);
  });

  it('looks for the repository before anything else', async () => {
    const name = 'RepositoryNotFoundException';
    const unknown = { repositoryName: 'nobody/made' };
    const message = "The repository with name 'nobody/made' does not exist in the registry with id '000000000000'";
    await refused(ecr.initiateLayerUpload(unknown), name, message);
    await refused(part(nobody, 0, Buffer.alloc(1), unknown), name, message);
    await refused(complete(nobody, [wrong], unknown), name, message);
    await refused(ecr.batchCheckLayerAvailability({ ...unknown, layerDigests: [wrong] }), name, message);
    await refused(ecr.getDownloadUrlForLayer({ ...unknown, layerDigest: wrong }), name, message);
  });

  it('refuses ids, digests and lists that cannot be', async () => {
    const name = 'InvalidParameterException';
    await refused(complete('not-a-uuid', [wrong]), name, /'uploadId'.*regular expression pattern/);
    await refused(complete(nobody, []), name, /'layerDigests'.*length greater than or equal to 1/);
    await refused(complete(nobody, Array(101).fill(wrong)), name, /'layerDigests'.*length less than or equal to 100/);
    await refused(
      complete(nobody, ['nonsense']),
      name,
      /'layerDigests'.*Member must satisfy constraint: \[Member must/,
    );
    await refused(part('not-a-uuid', 0, Buffer.alloc(1)), name, /'uploadId'/);
    await refused(ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: 'nonsense' }), name, /'layerDigest'/);
    await refused(ecr.initiateLayerUpload({ repositoryName: 'Upper' }), name, /'repositoryName'/);
  });

  it('tells which layers are there, which are not, and which digests cannot be', async () => {
    const layer = blobOf(randomBytes(3000));
    const pushed = blobOf(randomBytes(2000));
    await uploadLayer(ecr, repositoryName, layer);
    await pushBlob(server.url, repositoryName, pushed);
    const layerDigests = [layer.digest, wrong, pushed.digest, 'nonsense', ''];
    const { layers, failures } = await ecr.batchCheckLayerAvailability({ repositoryName, layerDigests });
    assert.deepEqual(layers, [
      { layerDigest: layer.digest, layerAvailability: 'AVAILABLE', layerSize: 3000 },
      { layerDigest: wrong, layerAvailability: 'UNAVAILABLE' },
      { layerDigest: pushed.digest, layerAvailability: 'AVAILABLE', layerSize: 2000 },
    ]);
    assert.deepEqual(
      failures?.map(({ layerDigest, failureCode }) => [layerDigest, failureCode]),
      [
        ['nonsense', 'InvalidLayerDigest'],
        ['', 'MissingLayerDigest'],
      ],
    );
    const tooMany = ecr.batchCheckLayerAvailability({ repositoryName, layerDigests: Array(101).fill(wrong) });
    await refused(tooMany, 'InvalidParameterException');
  });
});
