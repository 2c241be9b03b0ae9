import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ECR, ImageStatusFilter } from '@aws-sdk/client-ecr';
import { needsFolder } from '../support/cluster-mode.ts';
import { http } from '../support/http.ts';
import {
  type Blob,
  blobOf,
  descriptor,
  type Image,
  mediaTypes,
  pushBlob,
  pushImage,
  pushManifest,
  randomImage,
} from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { ecrClient, refused } from './aws-client.ts';
import { gantryOn, refusalOn } from './gantry-command.ts';
import { until } from './until.ts';

const repositoryName = 'archive/images';

const skip = needsFolder('--archive-dir is for the bytes of a data folder');

describe('the archive', { skip }, () => {
  let folder: TemporaryFolder;
  let archive: string;
  let server: RunningServer;
  let ecr: ECR;
  before(async () => {
    folder = await temporaryFolder();
    archive = join(folder.path, 'archive');
    server = await startServer({ args: ['--archive-dir', archive] });
    ecr = ecrClient(server.url);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const update = (imageTag: string, targetStorageClass: 'ARCHIVE' | 'STANDARD') =>
    ecr.updateImageStorageClass({ repositoryName, imageId: { imageTag }, targetStorageClass });
  const pushed = async (tag: string, image = randomImage()) => {
    await pushImage(server.url, repositoryName, tag, image);
    return image;
  };
  const archived = async (tag: string) => {
    const image = await pushed(tag);
    await update(tag, 'ARCHIVE');
    await until(() => blobsOf(image).every((blob) => placesOf(blob) === 'archive'));
    return image;
  };
  const blobsOf = ({ config, layers }: Image) => [config, ...layers];
  const placesOf = ({ digest }: Blob) =>
    [
      ['data', server.data],
      ['archive', archive],
    ]
      .filter(([, cwd]) => globSync(`blobs/sha256/*/${digest.replace('sha256:', '')}.*`, { cwd: cwd! }).length > 0)
      .map(([name]) => name)
      .join(' and ');
  const detailOf = async (imageTag: string) =>
    (await ecr.describeImages({ repositoryName, imageIds: [{ imageTag }] })).imageDetails![0]!;
  const get = (path: string, method = 'GET') => http(`${server.url}/v2/${repositoryName}/${path}`, { method });

  /** Pulls as clients do: the manifest, then each blob. */
  const assertPulled = async (tag: string, image: Image) => {
    assert.deepEqual((await get(`manifests/${tag}`)).body, image.manifest.bytes);
    for (const blob of blobsOf(image)) assert.deepEqual((await get(`blobs/${blob.digest}`)).body, blob.bytes);
  };

  it('takes the bytes of an image, which is not pulled then', async () => {
    const image = await pushed('pulls');
    assert.partialDeepStrictEqual(await update('pulls', 'ARCHIVE'), {
      registryId: '000000000000',
      repositoryName,
      imageId: { imageTag: 'pulls', imageDigest: image.manifest.digest },
      imageStatus: 'ARCHIVED',
    });
    for (const reference of ['pulls', image.manifest.digest]) {
      const answer = await get(`manifests/${reference}`);
      assert.equal(answer.status, 404);
      const [error] = answer.json().errors;
      assert.equal(error.code, 'MANIFEST_UNKNOWN');
      assert.match(error.message, /is archived; restore it with UpdateImageStorageClass, or push it again$/);
      assert.equal((await get(`manifests/${reference}`, 'HEAD')).status, 404);
    }
    for (const { digest } of blobsOf(image)) {
      const answer = await get(`blobs/${digest}`);
      assert.deepEqual([answer.status, answer.json().errors[0].code], [404, 'BLOB_UNKNOWN']);
      assert.equal((await get(`blobs/${digest}`, 'HEAD')).status, 404);
      await refused(
        ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: digest }),
        'LayerInaccessibleException',
        `The layer with digest '${digest}' in the repository with name '${repositoryName}' in the registry with id '000000000000' is not accessible: all images that use it are archived`,
      );
    }
    const { images, failures } = await ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'pulls' }] });
    assert.deepEqual(images, []);
    assert.deepEqual(failures, [
      {
        imageId: { imageTag: 'pulls' },
        failureCode: 'ImageInaccessible',
        failureReason: 'Requested image is archived; restore it with UpdateImageStorageClass, or push it again',
      },
    ]);
    const layerDigests = blobsOf(image).map(({ digest }) => digest);
    const { layers } = await ecr.batchCheckLayerAvailability({ repositoryName, layerDigests });
    assert.deepEqual(
      layers?.map(({ layerAvailability }) => layerAvailability),
      ['ARCHIVED', 'ARCHIVED'],
    );
    await until(() => blobsOf(image).every((blob) => placesOf(blob) === 'archive'));
  });

  it('gives an image back, which is ACTIVE when its bytes are there', async () => {
    const image = await archived('restored');
    const before = await detailOf('restored');
    assert.equal(before.imageStatus, 'ARCHIVED');
    assert.ok(before.lastArchivedAt && !before.lastActivatedAt);
    assert.equal((await update('restored', 'STANDARD')).imageStatus, 'ACTIVATING');
    await until(async () => (await detailOf('restored')).imageStatus === 'ACTIVE');
    for (const blob of blobsOf(image)) assert.equal(placesOf(blob), 'data');
    await assertPulled('restored', image);
    const { lastArchivedAt, lastActivatedAt } = await detailOf('restored');
    assert.deepEqual(lastArchivedAt, before.lastArchivedAt);
    assert.ok(lastActivatedAt && lastActivatedAt >= before.lastArchivedAt);
  });

  it('shows its images to those who ask for them', async () => {
    const name = 'archive/filters';
    const image = randomImage();
    await pushImage(server.url, name, 'old', image);
    await pushImage(server.url, name, 'new', randomImage());
    const imageId = { imageTag: 'old' };
    await ecr.updateImageStorageClass({ repositoryName: name, imageId, targetStorageClass: 'ARCHIVE' });
    const tagsWith = async (imageStatus?: ImageStatusFilter) => {
      const asked = { repositoryName: name, ...(imageStatus && { filter: { imageStatus } }) };
      const { imageIds } = await ecr.listImages(asked);
      const { imageDetails } = await ecr.describeImages(asked);
      const tags = imageIds!.map(({ imageTag }) => imageTag).sort();
      assert.deepEqual(imageDetails!.flatMap(({ imageTags }) => imageTags).sort(), tags);
      return tags;
    };
    assert.deepEqual(await tagsWith(), ['new']);
    assert.deepEqual(await tagsWith('ACTIVE'), ['new']);
    assert.deepEqual(await tagsWith('ARCHIVED'), ['old']);
    assert.deepEqual(await tagsWith('ACTIVATING'), []);
    assert.deepEqual(await tagsWith('ANY'), ['new', 'old']);
    assert.deepEqual((await http(`${server.url}/v2/${name}/tags/list`)).json().tags, ['new']);
  });

  it('takes referrers along with their subject', async () => {
    const image = await pushed('signed');
    const empty = blobOf('{}');
    await pushBlob(server.url, repositoryName, empty);
    const signature = blobOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        artifactType: 'application/vnd.example.signature',
        config: descriptor(mediaTypes.empty, empty),
        layers: [descriptor(mediaTypes.empty, empty)],
        subject: descriptor(mediaTypes.manifest, image.manifest),
      }),
    );
    await pushManifest(server.url, repositoryName, signature.digest, signature, mediaTypes.manifest);
    const statusesWith = async (artifactStatus: ImageStatusFilter) => {
      const subjectId = { imageDigest: image.manifest.digest };
      const { referrers } = await ecr.listImageReferrers({ repositoryName, subjectId, filter: { artifactStatus } });
      return referrers?.map((referrer) => referrer.artifactStatus);
    };
    assert.deepEqual(await statusesWith('ANY'), ['ACTIVE']);
    await update('signed', 'ARCHIVE');
    await until(async () => (await statusesWith('ANY'))?.[0] === 'ARCHIVED');
    assert.deepEqual(await statusesWith('ACTIVE'), []);
    assert.deepEqual(await statusesWith('ARCHIVED'), ['ARCHIVED']);
    assert.deepEqual((await get(`referrers/${image.manifest.digest}`)).json().manifests, []);
  });

  it('lets an image go that is pushed again as docker does it, looking for each layer before and after', async () => {
    const image = await archived('docker');
    for (const blob of blobsOf(image)) {
      assert.equal((await get(`blobs/${blob.digest}`, 'HEAD')).status, 404);
      assert.equal((await pushBlob(server.url, repositoryName, blob)).status, 201);
      assert.equal((await get(`blobs/${blob.digest}`, 'HEAD')).status, 200);
    }
    const put = await pushManifest(server.url, repositoryName, 'docker', image.manifest, image.mediaType);
    assert.equal(put.status, 201);
    await assertPulled('docker', image);
    await until(() => blobsOf(image).every((blob) => placesOf(blob) === 'data'));
    await assertPulled('docker', image);
  });

  it('lets an image go whose manifest alone is pushed again, by either face', async () => {
    const image = await archived('manifest');
    assert.equal(
      (await pushManifest(server.url, repositoryName, 'manifest', image.manifest, image.mediaType)).status,
      201,
    );
    await assertPulled('manifest', image);
    await update('manifest', 'ARCHIVE');
    const imageManifest = image.manifest.bytes.toString();
    await ecr.putImage({ repositoryName, imageManifest, imageTag: 'manifest' });
    await assertPulled('manifest', image);
    await until(() => blobsOf(image).every((blob) => placesOf(blob) === 'data'));
  });

  it('refuses what cannot be, in words that say why', async () => {
    const image = await pushed('refused');
    const refusedUpdate = 'ImageStorageClassUpdateNotSupportedException';
    const name = `The image with imageId {imageDigest:'null', imageTag:'refused'} in the repository with name '${repositoryName}' in the registry with id '000000000000'`;
    await refused(update('refused', 'STANDARD'), refusedUpdate, `${name} is not archived`);
    const index = blobOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.index,
        manifests: [descriptor(mediaTypes.manifest, image.manifest)],
      }),
    );
    await pushManifest(server.url, repositoryName, 'index', index, mediaTypes.index);
    await refused(
      update('refused', 'ARCHIVE'),
      refusedUpdate,
      `${name} is listed by image indexes that are not archived: [${index.digest}]; archive or delete them first`,
    );
    await update('index', 'ARCHIVE');
    await update('refused', 'ARCHIVE');
    await refused(update('refused', 'ARCHIVE'), refusedUpdate, `${name} is archived already`);
    await refused(
      update('nobody', 'ARCHIVE'),
      'ImageNotFoundException',
      `The image with imageId {imageDigest:'null', imageTag:'nobody'} does not exist within the repository with name '${repositoryName}' in the registry with id '000000000000'`,
    );
    const imageId = { imageTag: 'refused', imageDigest: index.digest };
    const targetStorageClass = 'ARCHIVE';
    const asked = { repositoryName, imageId, targetStorageClass } as const;
    await refused(ecr.updateImageStorageClass(asked), 'ImageNotFoundException');
    const elsewhere = { ...asked, repositoryName: 'no/where' };
    await refused(ecr.updateImageStorageClass(elsewhere), 'RepositoryNotFoundException');
    await refused(ecr.updateImageStorageClass({ ...asked, imageId: {} }), 'InvalidParameterException', /'imageId'/);
    await refused(update('refused', 'COLD' as 'ARCHIVE'), 'InvalidParameterException', /'targetStorageClass'/);
  });

  it('is read by verify and cleaned by garbage, and not forgotten by either', async () => {
    const image = await archived('deleted');
    const [verify, garbage] = ['verify', 'garbage'].map(
      (word) => () => gantryOn(server.data)(word, '--archive-dir', archive, '--undo-seconds', '0'),
    ) as [() => Promise<string>, () => Promise<string>];
    assert.match(await verify(), /: all is well\.\n$/);
    for (const word of ['verify', 'garbage']) {
      const refusal = await refusalOn(server.data)(word);
      assert.equal(
        refusal,
        'gantry: This data folder has an archive: say where it is with --archive-dir (GANTRY_ARCHIVE_DIR)\n',
      );
    }
    await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageTag: 'deleted' }] });
    await garbage();
    assert.match(await verify(), /: all is well\.\n$/);
    for (const blob of blobsOf(image)) assert.equal(placesOf(blob), 'archive', 'its lease lasts');
  });
});

it('a server that is killed while it archives goes on where it was', { skip }, async () => {
  await using folder = await temporaryFolder();
  const [data, archive] = [join(folder.path, 'data'), join(folder.path, 'archive')];
  const args = ['--archive-dir', archive];
  const tags = Array.from({ length: 12 }, (_, index) => `v${index}`);
  {
    await using server = await startServer({ data, args });
    const ecr = ecrClient(server.url);
    for (const tag of tags) await pushImage(server.url, repositoryName, tag, randomImage([1_000_000]));
    const archiving = tags.map((imageTag) =>
      ecr.updateImageStorageClass({ repositoryName, imageId: { imageTag }, targetStorageClass: 'ARCHIVE' }),
    );
    await Promise.all(archiving);
    await until(() => filesIn(archive) > 0);
    await server.kill();
  }
  await assert.rejects(startServer({ data }), /This data folder has an archive: say where it is with --archive-dir/);
  await using server = await startServer({ data, args });
  // A job that a killed server held is free when its lease is over.
  await until(() => filesIn(archive) === 24 && filesIn(data) === 0, 120);
  assert.match(await gantryOn(data)('verify', ...args), /: all is well\.\n$/);
  assert.equal((await http(`${server.url}/readyz`)).status, 200);
});

function filesIn(folder: string): number {
  return globSync('blobs/sha256/*/*', { cwd: folder }).length;
}
