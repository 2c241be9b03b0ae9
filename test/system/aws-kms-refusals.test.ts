import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type HttpAnswer, http } from '../support/http.ts';
import { blobOf, type Image, pushBlob, pushImage, pushManifest, randomImage } from '../support/images.ts';
import { uploadParts } from './aws-client.ts';
import { type KmsWorld, refusedForKey, skipKms, startKmsWorld } from './aws-kms-world.ts';
import { migration } from './migration-world.ts';
import { until } from './until.ts';

const repositoryName = 'key/off';

describe('a repository whose key is disabled', { skip: skipKms }, () => {
  let world: KmsWorld;
  let arn: string;
  let image: Image;
  /** An upload of all bytes of `layer` that only has to be completed. */
  let uploadId: string;
  let ociUpload: string;
  const layer = blobOf(randomBytes(100_000));
  const blobs = () => `${world.server.url}/v2/${repositoryName}/blobs`;

  before(async () => {
    if (skipKms !== false) return;
    world = await startKmsWorld();
    arn = await world.repository(repositoryName, world.kms.keys.create());
    image = randomImage([5000]);
    await pushImage(world.server.url, repositoryName, 'latest', image);
    await pushImage(world.server.url, 'other/plain', 'latest', image);
    uploadId = await uploadParts(world.ecr, repositoryName, layer.bytes);
    const begun = await http(`${blobs()}/uploads/`, { method: 'POST' });
    ociUpload = new URL(String(begun.headers.location), world.server.url).href;
    world.kms.keys.setState(arn, 'Disabled');
    await until(() =>
      world.ecr.initiateLayerUpload({ repositoryName }).then(
        () => false,
        () => true,
      ),
    );
  });
  after(() => world?.[Symbol.asyncDispose]());

  const refusedDocker = (answer: HttpAnswer, what: string) => {
    assert.equal(answer.status, 400, `${what}: ${answer.text()}`);
    assert.match(answer.text(), /"DENIED".*is disabled/, what);
  };

  it('takes no layer and no image by the API of ECR', async () => {
    const { ecr } = world;
    const words = await refusedForKey(ecr.initiateLayerUpload({ repositoryName }));
    assert.match(words, new RegExp(`${arn} is disabled`));
    const more = { repositoryName, uploadId, partFirstByte: 100_000, partLastByte: 100_009 };
    await refusedForKey(ecr.uploadLayerPart({ ...more, layerPartBlob: randomBytes(10) }));
    await refusedForKey(ecr.completeLayerUpload({ repositoryName, uploadId, layerDigests: [layer.digest] }));
    const imageManifest = image.manifest.bytes.toString();
    await refusedForKey(ecr.putImage({ repositoryName, imageManifest, imageTag: 'again' }));
    await refusedForKey(world.repository('key/off-too', arn));
  });

  it('takes none by docker', async () => {
    refusedDocker(await http(`${blobs()}/uploads/`, { method: 'POST' }), 'POST');
    refusedDocker(await http(ociUpload, { method: 'PATCH', body: randomBytes(10) }), 'PATCH');
    const put = await http(`${ociUpload}?digest=${layer.digest}`, { method: 'PUT', body: layer.bytes });
    refusedDocker(put, 'PUT of a blob');
    const { manifest, mediaType } = image;
    const { url } = world.server;
    refusedDocker(await pushManifest(url, repositoryName, 'again', manifest, mediaType), 'PUT of a manifest');
  });

  it('gives no image', async () => {
    const { ecr } = world;
    const { digest } = image.manifest;
    const ids = [{ imageTag: 'latest' }, { imageDigest: digest }];
    const { images, failures = [] } = await ecr.batchGetImage({ repositoryName, imageIds: ids });
    assert.deepEqual(images, []);
    assert.deepEqual(
      failures.map(({ failureCode }) => failureCode),
      ['KmsError', 'KmsError'],
    );
    assert.match(String(failures[0]?.failureReason), /is disabled/);
    await refusedForKey(ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: image.config.digest }));
  });

  it('gives docker neither manifests nor layers', async () => {
    const manifests = `${world.server.url}/v2/${repositoryName}/manifests`;
    for (const reference of ['latest', image.manifest.digest]) {
      refusedDocker(await http(`${manifests}/${reference}`), reference);
    }
    for (const { digest } of [image.config, ...image.layers]) refusedDocker(await http(`${blobs()}/${digest}`), digest);
  });

  it('is still described and listed, and nothing else is the worse for it', async () => {
    const { ecr, server } = world;
    const { repositories } = await ecr.describeRepositories({ repositoryNames: [repositoryName] });
    assert.equal(repositories?.[0]?.encryptionConfiguration?.kmsKey, arn);
    const { imageDetails } = await ecr.describeImages({ repositoryName });
    assert.deepEqual(imageDetails?.[0]?.imageTags, ['latest']);
    assert.equal((await http(`${server.url}/v2/other/plain/manifests/latest`)).status, 200);
    assert.equal((await pushBlob(server.url, 'other/plain', layer)).status, 201);
    const other = world.kms.keys.create();
    await world.repository('key/on', other);
    await pushImage(server.url, 'key/on', 'latest', image);
  });

  it('works on where it was when the key is enabled again', async () => {
    const { ecr, server } = world;
    world.kms.keys.setState(arn, 'Enabled');
    await ecr.completeLayerUpload({ repositoryName, uploadId, layerDigests: [layer.digest] });
    assert.ok((await http(`${blobs()}/${layer.digest}`)).body.equals(layer.bytes));
    const put = await http(`${ociUpload}?digest=${blobOf('end').digest}`, { method: 'PUT', body: 'end' });
    assert.equal(put.status, 201, put.text());
    assert.equal((await http(`${server.url}/v2/${repositoryName}/manifests/latest`)).status, 200);
    assert.ok((await http(`${blobs()}/${image.config.digest}`)).body.equals(image.config.bytes));
    const { images, failures } = await ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'latest' }] });
    assert.deepEqual([images?.length, failures], [1, []]);
  });

  it('can be deleted with its images when the key is gone for good', async () => {
    const { ecr, kms } = world;
    kms.keys.destroy(arn);
    await until(() =>
      ecr.initiateLayerUpload({ repositoryName }).then(
        () => false,
        () => true,
      ),
    );
    await refusedForKey(ecr.initiateLayerUpload({ repositoryName }), 'NotFoundException');
    await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageTag: 'latest' }] });
    const { repository } = await ecr.deleteRepository({ repositoryName, force: true });
    assert.equal(repository?.encryptionConfiguration?.kmsKey, arn);
  });

  it('says so when the key service does not answer', async () => {
    await world.repository('key/unreached', world.kms.keys.create());
    assert.equal((await pushBlob(world.server.url, 'key/unreached', layer)).status, 201);
    await world.kms[Symbol.asyncDispose]();
    const upload = () => world.ecr.initiateLayerUpload({ repositoryName: 'key/unreached' });
    await until(() =>
      upload().then(
        () => false,
        () => true,
      ),
    );
    assert.match(await refusedForKey(upload(), 'DependencyTimeoutException'), /did not answer: ECONNREFUSED/);
    assert.equal((await http(`${world.server.url}/v2/other/plain/manifests/latest`)).status, 200);
    const { code, stdout } = await migration(world.server.data, world.kms.environment)('verify');
    assert.equal(code, 0, stdout);
    const told =
      /^Not verified: (\d+) blobs of key\/on, key\/unreached \(000000000000\/us-east-1\): The key service .* did not/;
    const [, unread] = told.exec(stdout) ?? assert.fail(stdout);
    assert.match(stdout, new RegExp(`^Verified .*: all is well, ${unread} blobs not verified without their key`, 'm'));
  });
});
