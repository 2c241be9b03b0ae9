import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { type Blob, blobOf, type Image, pushBlob, pushImage, randomImage } from '../support/images.ts';
import { DEBIAN_FILES, imageOfFiles } from '../support/scanned-images.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { ecrClient } from './aws-client.ts';
import { skipKms } from './aws-kms-world.ts';
import { keepNewest, policyText } from './lifecycle-policies.ts';
import { migration } from './migration-world.ts';
import { digestAt, pulled, until as untilGood } from './replication-world.ts';
import { type ScanningWorld, scanningWorld } from './scanning-world.ts';
import { until } from './until.ts';

const repositoryName = 'key/off';
const plain = 'key/none';
const west = { region: 'us-west-2', registryId: '000000000000' };

type FiveImages = [Image, Image, Image, Image, Image];

describe('what else there is for images, while the key of their repository is disabled', { skip: skipKms }, () => {
  let folder: TemporaryFolder;
  let world: ScanningWorld;
  let archive: string[];
  let key: string;
  let images: Record<'v1' | 'cold' | 'warm' | 'deleted' | 'old1' | 'old2', Image>;
  let plainImage: Image;
  const unused = blobOf('a layer that no image uses');

  before(async () => {
    if (skipKms !== false) return;
    folder = await temporaryFolder();
    archive = ['--archive-dir', join(folder.path, 'archive')];
    world = await scanningWorld({ args: archive });
    const { server, ecr, gantry } = world;
    key = (await gantry('kms', 'create')).trim();
    const encryptionConfiguration = { encryptionType: 'KMS', kmsKey: key } as const;
    for (const name of [repositoryName, 'key/gone', `off/${plain}`]) {
      await ecr.createRepository({ repositoryName: name, encryptionConfiguration });
    }
    const [cold, warm, deleted, old1, old2] = Array.from({ length: 5 }, () => randomImage()) as FiveImages;
    images = { v1: imageOfFiles([DEBIAN_FILES]), cold, warm, deleted, old1, old2 };
    for (const [tag, image] of Object.entries(images)) await pushImage(server.url, repositoryName, tag, image);
    plainImage = randomImage();
    await pushImage(server.url, plain, 'v1', plainImage);
    await pushImage(server.url, 'key/gone', 'v1', randomImage());
    await pushBlob(server.url, repositoryName, unused);
    await http(`${server.url}/v2/${repositoryName}/blobs/${unused.digest}`, { method: 'DELETE' });
    await store('cold', 'ARCHIVE');
    await until(() => isArchived(images.cold));
    await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest: images.deleted.manifest.digest }] });
    await gantry('kms', 'disable', key);
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  const store = (imageTag: string, targetStorageClass: 'ARCHIVE' | 'STANDARD') =>
    world.ecr.updateImageStorageClass({ repositoryName, imageId: { imageTag }, targetStorageClass });
  const filesOf = ({ digest }: Blob, cwd: string) =>
    globSync(`blobs/sha256/*/${digest.replace('sha256:', '')}.*`, { cwd }).length;
  const isArchived = ({ config, layers }: Image) =>
    [config, ...layers].every((blob) => filesOf(blob, archive[1]!) === 1 && filesOf(blob, world.server.data) === 0);
  const statusOf = async (imageTag: string) =>
    (await world.ecr.describeImages({ repositoryName, imageIds: [{ imageTag }] })).imageDetails?.[0]?.imageStatus;
  const pull = (reference: string) => http(`${world.server.url}/v2/${repositoryName}/manifests/${reference}`);
  const isDisabled = () => new RegExp(`${key} is disabled; gantry kms enable`);
  const layout = () => `oci:${join(folder.path, 'layout')}`;
  const importing = () => ['import', '--from', layout(), '--repositories', plain, '--to-prefix', 'off/', ...archive];
  const backfill = async () => {
    const { replicationBackfillId } = await world.ecr.startReplicationBackfill({ destination: west });
    return untilGood(
      () => world.ecr.describeReplicationBackfillResults({ replicationBackfillId }),
      ({ endedAt }) => endedAt !== undefined,
    );
  };

  it('archives them and restores them, which needs no key', async () => {
    await store('warm', 'ARCHIVE');
    await until(() => isArchived(images.warm));
    await store('cold', 'STANDARD');
    await until(async () => (await statusOf('cold')) === 'ACTIVE');
    assert.equal(isArchived(images.cold), false);
    const answer = await pull('cold');
    assert.equal(answer.status, 400);
    assert.match(answer.text(), isDisabled());
  });

  it('brings back what was deleted, and deletes by policy, with the repository, and as garbage', async () => {
    const { gantry, ecr, server } = world;
    await gantry('tag', 'undelete', repositoryName, images.deleted.manifest.digest);
    const lifecyclePolicyText = policyText(keepNewest(1, ['old*'], 1));
    await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText });
    await gantry('lifecycle', 'run', '--repository', repositoryName);
    const { imageIds = [] } = await ecr.listImages({ repositoryName, filter: { imageStatus: 'ANY' } });
    assert.deepEqual(imageIds.map(({ imageTag }) => imageTag).sort(), ['cold', 'deleted', 'old2', 'v1', 'warm']);
    await gantry('tag', 'undelete', repositoryName, images.old1.manifest.digest);
    await ecr.deleteLifecyclePolicy({ repositoryName });
    await ecr.deleteRepository({ repositoryName: 'key/gone', force: true });
    assert.equal(filesOf(unused, server.data), 1);
    await gantry('garbage', ...archive);
    assert.equal(filesOf(unused, server.data), 0);
  });

  it('says what could not be scanned, copied, exported, imported and verified, and that their key is why', async () => {
    const { gantry, ecr, server } = world;
    await ecr.startImageScan({ repositoryName, imageId: { imageTag: 'v1' } });
    const { imageScanStatus } = await world.scanned(repositoryName, 'v1', 'FAILED');
    assert.match(String(imageScanStatus.description), isDisabled());

    const rules = [{ destinations: [west] }];
    await ecr.putReplicationConfiguration({ replicationConfiguration: { rules } });
    const { progress, results } = await backfill();
    assert.partialDeepStrictEqual(progress, { completedReplicationCount: 1, failureCodes: ['KmsError'] });
    assert.deepEqual(
      results?.filter(({ status }) => status === 'COMPLETE').map((each) => each.repositoryName),
      [plain],
    );

    const run = migration(server.data);
    const exported = await run('export', '--to', layout(), ...archive);
    assert.equal(exported.code, 1);
    for (const tag of ['v1', 'cold', 'deleted', 'old1', 'old2']) {
      assert.match(exported.stdout, new RegExp(`^Failed: ${repositoryName}:${tag}: ${key} is disabled; `, 'm'));
    }
    assert.doesNotMatch(exported.stdout, new RegExp(`Failed: ${plain}`));
    const imported = await run(...importing());
    assert.equal(imported.code, 1);
    assert.match(imported.stdout, new RegExp(`^Failed: ${plain}:v1: ${key} is disabled; `, 'm'));

    assert.match(await gantry('usage'), new RegExp(`^${repositoryName} +6 +1 `, 'm'));
    const verified = await gantry('verify', ...archive);
    const reason = `${key} is disabled; gantry kms enable makes it usable again`;
    assert.match(
      verified,
      new RegExp(`^Not verified: 1. blobs of [a-z/, ]*${repositoryName}[a-z/, ]* \\(.*\\): ${reason}$`, 'm'),
    );
    assert.match(verified, /^Verified .*: all is well, 1. blobs not verified without their key\.$/m);
  });

  it('replicates to a repository of a registry whose key is disabled once that is enabled', async () => {
    const { gantry, ecr, server } = world;
    const there = ecrClient(server.url, west);
    const kms = (...words: string[]) => gantry('kms', ...words, '--region', west.region);
    const westKey = (await kms('create')).trim();
    const encryptionConfiguration = { encryptionType: 'KMS', kmsKey: westKey } as const;
    const name = 'key/west';
    await there.createRepository({ repositoryName: name, encryptionConfiguration });
    await kms('disable', westKey);
    const image = randomImage();
    await pushImage(server.url, name, 'v1', image);
    const outcome = async () =>
      (await ecr.describeImageReplicationStatus({ repositoryName: name, imageId: { imageTag: 'v1' } }))
        .replicationStatuses?.[0];
    const failed = await untilGood(outcome, (status) => status?.status === 'FAILED');
    assert.equal(failed?.failureCode, 'KmsError');
    await kms('enable', westKey);
    await untilGood(outcome, (status) => status?.status === 'COMPLETE');
    assert.equal(await digestAt(there, name, 'v1'), image.manifest.digest);
    assert.deepEqual(await pulled(there, name, image.layers[0]!.digest), image.layers[0]!.bytes);
  });

  it('has lost nothing when the key is enabled again', async () => {
    const { gantry, server, ecr } = world;
    await gantry('kms', 'enable', key);
    await store('warm', 'STANDARD');
    await until(async () => (await statusOf('warm')) === 'ACTIVE');
    for (const [tag, { manifest, config, layers }] of Object.entries(images)) {
      assert.deepEqual((await pull(tag)).body, manifest.bytes, tag);
      for (const { digest, bytes } of [config, ...layers]) {
        assert.deepEqual((await http(`${server.url}/v2/${repositoryName}/blobs/${digest}`)).body, bytes, tag);
      }
    }
    await ecr.startImageScan({ repositoryName, imageId: { imageTag: 'v1' } });
    assert.ok((await world.scanned(repositoryName, 'v1')).imageScanFindings.findings?.length);
    assert.partialDeepStrictEqual(await backfill(), { status: 'COMPLETE', progress: { failureCodes: [] } });
    const there = ecrClient(server.url, west);
    assert.equal((await there.describeImages({ repositoryName })).imageDetails?.length, 6);
    for (const words of [['export', '--to', layout(), ...archive], importing()]) {
      const { code, stdout } = await migration(server.data)(...words);
      assert.equal(code, 0, stdout);
    }
    assert.deepEqual((await http(`${server.url}/v2/off/${plain}/manifests/v1`)).body, plainImage.manifest.bytes);
    assert.match(await gantry('verify', ...archive), /^Verified .*: all is well\.$/m);
  });
});
