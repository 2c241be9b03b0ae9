import type { Call } from '../access/caller.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import type { Records } from '../metadata-store.ts';
import { findRepository } from '../repositories/find-repository.ts';
import { parseDigest } from '../values/digest.ts';
import type { ImageIdentifier } from '../values/image-reference.ts';
import { failureOf, resolveImages } from './find-images.ts';
import { type Change, changeBy, changeTimes, removeImage, removeTag } from './image-changes.ts';
import type { TaggedImage } from './image-records.ts';
import { IMAGES_WEIGHT_MAX, imageWeight } from './image-weight.ts';
import type { ImageFailure, ImageReference } from './images.ts';

/**
 * BatchDeleteImage; see `Images.deleteMany`. An image that an index still lists is kept; one whose index goes in the same
 * call goes too, in whatever order they were named. Each image goes in one transaction, not all of them together.
 */
export async function deleteImages(
  dependencies: CoreDependencies,
  call: Call,
  { repositoryName, imageIds }: { repositoryName: string; imageIds: readonly ImageIdentifier[] },
): Promise<{ imageIds: ImageIdentifier[]; failures: ImageFailure[] }> {
  const times = changeTimes(dependencies);
  const deleteSome = (ids: readonly ImageIdentifier[]) =>
    dependencies.metadata.transaction('repository', async (records) => {
      const repository = await findRepository(records, call.registry, repositoryName);
      return deleteFirst(records, changeBy(call, repository, { ...times, cause: 'delete' }), ids);
    });
  const deleted: ImageIdentifier[] = [];
  let left = imageIds;
  for (;;) {
    const failures: ImageFailure[] = [];
    for (let done = 0; done < left.length; ) {
      const outcomes = await deleteSome(left.slice(done));
      for (const outcome of outcomes) {
        if ('code' in outcome) failures.push(outcome);
        else deleted.push(...outcome.deleted);
      }
      done += outcomes.length;
    }
    const shielded = failures.filter(({ code }) => code === 'ImageReferencedByManifestList');
    if (shielded.length === 0 || failures.length === left.length) return { imageIds: deleted, failures };
    left = failures.map(({ imageId }) => imageId);
  }
}

/** DELETE manifest; see `Images.delete`. */
export async function deleteImage(
  dependencies: CoreDependencies,
  call: Call,
  { repositoryName, reference }: { repositoryName: string; reference: ImageReference },
): Promise<void> {
  const times = changeTimes(dependencies);
  await dependencies.metadata.transaction('repository', async (records) => {
    const repository = await findRepository(records, call.registry, repositoryName);
    const change = changeBy(call, repository, { ...times, cause: 'delete' });
    const missing = (imageId: ImageIdentifier): never =>
      refuse({ kind: 'image-not-found', imageId, repositoryName, registryId: call.registry.accountId });
    if ('tag' in reference) {
      const image = await records.images.findByTag(repository.id, reference.tag);
      if (!image) return missing({ imageTag: reference.tag });
      await removeTag(records, change, image, reference.tag);
      return;
    }
    const digest = parseDigest(reference.digest);
    const image = digest && (await records.images.find(repository.id, digest));
    if (!image) return missing({ imageDigest: reference.digest });
    const indexDigests = await records.images.indexesOf(repository.id, image.digest);
    if (indexDigests.length > 0) refuse({ kind: 'image-referenced-by-index', indexDigests });
    await removeImage(records, change, image);
  });
}

type Outcome = { readonly deleted: ImageIdentifier[]; readonly weight: number } | ImageFailure;

/** What became of the first of the ids: of as many as requests may wait for. */
async function deleteFirst(records: Records, change: Change, ids: readonly ImageIdentifier[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let weight = 0;
  for (const id of ids) {
    const outcome = await deleteOne(records, change, id);
    outcomes.push(outcome);
    weight += 'code' in outcome ? 1 : outcome.weight;
    if (weight >= IMAGES_WEIGHT_MAX) break;
  }
  return outcomes;
}

async function deleteOne(records: Records, change: Change, id: ImageIdentifier): Promise<Outcome> {
  const { repository } = change;
  const [resolved] = await resolveImages(records, repository, [id]);
  if (!resolved) throw new Error('An image id was not resolved');
  if ('code' in resolved) return resolved;
  const { image } = resolved;
  const { imageTag } = id;
  if (imageTag !== undefined && image.tags.length > 1) {
    await removeTag(records, change, image, imageTag);
    return { deleted: [{ imageDigest: image.digest, imageTag }], weight: 1 };
  }
  const indexes = await records.images.indexesOf(repository.id, image.digest);
  if (indexes.length > 0) {
    const reason = `Requested image referenced by manifest list: [${indexes.join(', ')}]`;
    return failureOf(id, 'ImageReferencedByManifestList', reason);
  }
  await removeImage(records, change, image);
  return { deleted: identifiersOf(image), weight: imageWeight(image) };
}

/** One identifier for each tag the image had; one without a tag for an untagged image. */
function identifiersOf({ digest, tags }: TaggedImage): ImageIdentifier[] {
  if (tags.length === 0) return [{ imageDigest: digest }];
  return tags.map((imageTag) => ({ imageDigest: digest, imageTag }));
}
