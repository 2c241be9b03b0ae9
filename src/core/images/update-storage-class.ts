import type { Call } from '../access/caller.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import type { Records } from '../metadata-store.ts';
import { findRepository } from '../repositories/find-repository.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { describeImageId, type ImageIdentifier } from '../values/image-reference.ts';
import { refuseFailure, resolveImages } from './find-images.ts';
import { type Change, changeBy, changeTimes } from './image-changes.ts';
import type { ImageStatus, TaggedImage } from './image-records.ts';
import type { StorageClassChange } from './images.ts';
import { activeIndexesOf, archiveImage, restoreImage } from './storage-class.ts';

/** UpdateImageStorageClass; see `Images.updateStorageClass`. */
export async function updateStorageClass(
  dependencies: CoreDependencies,
  call: Call,
  { repositoryName, imageId, storageClass }: StorageClassChange,
): Promise<{ imageId: ImageIdentifier; status: ImageStatus }> {
  const times = changeTimes(dependencies);
  return dependencies.metadata.transaction('repository', async (records) => {
    const repository = await findRepository(records, call.registry, repositoryName);
    const [resolved] = await resolveImages(records, repository, [imageId]);
    if (!resolved) throw new Error('An image id was not resolved');
    if ('code' in resolved) return refuseFailure(call, repositoryName, resolved, 'imageId');
    const { image } = resolved;
    const change = changeBy(call, repository, times);
    const name = nameOf(repository, imageId);
    const status =
      storageClass === 'ARCHIVE'
        ? await archive(records, change, image, name)
        : await restore(records, change, image, name);
    const tag = imageId.imageTag !== undefined && { imageTag: imageId.imageTag };
    return { imageId: { imageDigest: image.digest, ...tag }, status };
  });
}

async function archive(records: Records, change: Change, image: TaggedImage, name: string): Promise<ImageStatus> {
  if (image.status === 'ARCHIVED') refuseUpdate(`${name} is archived already`);
  if (image.status === 'ACTIVATING') {
    refuseUpdate(`${name} is being restored from the archive; it can be archived once its status is ACTIVE`);
  }
  const indexes = await activeIndexesOf(records, image);
  if (indexes.length > 0) {
    const digests = indexes.map(({ digest }) => digest).join(', ');
    refuseUpdate(
      `${name} is listed by image indexes that are not archived: [${digests}]; archive or delete them first`,
    );
  }
  await archiveImage(records, change, image);
  return 'ARCHIVED';
}

async function restore(records: Records, change: Change, image: TaggedImage, name: string): Promise<ImageStatus> {
  if (image.status === 'ACTIVE') refuseUpdate(`${name} is not archived`);
  if (image.status === 'ACTIVATING') refuseUpdate(`${name} is being restored from the archive already`);
  return restoreImage(records, change, image);
}

function nameOf({ name, registry }: Repository, imageId: ImageIdentifier): string {
  return `The image with imageId ${describeImageId(imageId)} in the repository with name '${name}' in the registry with id '${registry.accountId}'`;
}

function refuseUpdate(reason: string): never {
  return refuse({ kind: 'image-storage-class-update-not-supported', reason });
}
