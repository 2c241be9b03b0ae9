import { setTimeout as sleep } from 'node:timers/promises';
import { blobOf, descriptor, digestOf, mediaTypes } from '../support/images.ts';
import { uploadLayer } from '../system/aws-client.ts';
import { pushedImage, pushedReferrer, type Scene } from './world.ts';

export const images: Scene = async (world) => {
  const { ecr } = world;
  const repositoryName = 'members/images';
  const manifest = await pushedImage(world, repositoryName, 'v1');
  const { digest: imageDigest } = manifest;
  for (let count = 0; count < 2; count++) await pushedReferrer(world, repositoryName, manifest);
  await pushedImage(world, repositoryName, 'v2');

  const unknown = { imageDigest: digestOf('unknown'), imageTag: 'unknown' };
  const imageIds = [{ imageTag: 'v1' }, unknown, { imageTag: 'v1', imageDigest: digestOf('unknown') }];
  await ecr.batchGetImage({ repositoryName, imageIds });
  await ecr.putImage({ repositoryName, imageManifest: manifest.bytes.toString(), imageTag: 'v3' });
  await ecr.listImages({ repositoryName });
  await ecr.listImages({ repositoryName, maxResults: 1 });
  await ecr.describeImages({ repositoryName, maxResults: 1 });
  await ecr.listImageReferrers({ repositoryName, subjectId: { imageDigest }, maxResults: 1 });
  for (const targetStorageClass of ['ARCHIVE', 'STANDARD'] as const) {
    await ecr.updateImageStorageClass({ repositoryName, imageId: { imageTag: 'v1' }, targetStorageClass });
  }
  await ecr.batchGetImage({ repositoryName, imageIds: [{ imageDigest }] });
  for (let tries = 0; tries < 200; tries++) {
    const { imageDetails } = await ecr.describeImages({ repositoryName, filter: { imageStatus: 'ANY' } });
    if (imageDetails?.some(({ lastRecordedPullTime }) => lastRecordedPullTime)) break;
    await sleep(50);
  }
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [descriptor(mediaTypes.manifest, manifest)],
  };
  await ecr.putImage({ repositoryName, imageManifest: JSON.stringify(index), imageTag: 'index' });
  await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageTag: 'v2' }, unknown, { imageDigest }] });
};

export const layers: Scene = async (world) => {
  const { ecr } = world;
  const repositoryName = 'members/layers';
  const manifest = await pushedImage(world, repositoryName, 'v1');
  const [layer] = JSON.parse(manifest.bytes.toString()).layers;
  await uploadLayer(ecr, repositoryName, blobOf('a layer'));
  await ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: layer.digest });
  const layerDigests = [layer.digest, digestOf('unknown'), 'nonsense'];
  await ecr.batchCheckLayerAvailability({ repositoryName, layerDigests });
};
