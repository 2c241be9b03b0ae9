import type { Call } from '../access/caller.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { ARCHIVED_WORDS, RefusedError, refuse } from '../errors.ts';
import type { PullTimes } from '../pull-times/pull-times.ts';
import { findRepository } from '../repositories/find-repository.ts';
import type { Repository, RepositoryName } from '../repositories/repository-records.ts';
import { parseDigest } from '../values/digest.ts';
import type { ImageIdentifier } from '../values/image-reference.ts';
import { essenceOf } from '../values/media-type.ts';
import { splitPage } from '../values/page.ts';
import { deleteImage, deleteImages } from './delete-images.ts';
import { failureOf, type ResolvedImage, refuseFailure, refuseImage, resolveImages } from './find-images.ts';
import type { Image, ImageStatus, StoredManifest, TaggedImage } from './image-records.ts';
import type { FoundImage, ImageFailure, ImageReference, Images } from './images.ts';
import { putImage } from './put-image.ts';
import { updateStorageClass } from './update-storage-class.ts';

/** @param pullTimes is told of every pull */
export function createImages(dependencies: CoreDependencies, pullTimes: Pick<PullTimes, 'note'> = unnoted): Images {
  const { encryption } = dependencies;
  const { read } = dependencies.metadata;
  const repositoryOf = (call: Call, { repositoryName }: { repositoryName: string }) =>
    findRepository(read, call.registry, repositoryName);

  return {
    put: (call, input) => putImage(dependencies, call, input),
    deleteMany: (call, input) => deleteImages(dependencies, call, input),
    delete: (call, input) => deleteImage(dependencies, call, input),
    updateStorageClass: (call, input) => updateStorageClass(dependencies, call, input),

    async getManifest(call, input) {
      const [repository, manifest] = await Promise.all([
        repositoryOf(call, input),
        manifestOf({ registry: call.registry, name: input.repositoryName }, input.reference),
      ]);
      const imageId = identifierOf(input.reference);
      if (!manifest) return refuseImage(call, input.repositoryName, imageId);
      if (manifest.status !== 'ACTIVE') refuseArchived(call, input.repositoryName, imageId, manifest.status);
      if (input.isLook) return manifest;
      await encryption.requireKey(repository);
      pullTimes.note(call, repository.id, manifest.digest);
      return manifest;
    },

    async getMany(call, input) {
      const repository = await repositoryOf(call, input);
      const resolved = await resolveImages(read, repository, input.imageIds);
      const accepts = acceptance(input.acceptedMediaTypes);
      const withoutKey = await kmsFailure(repository);
      const outcomes: (FoundImage | ImageFailure)[] = [];
      let bytes = 0;
      for (const one of resolved) {
        const outcome = 'code' in one ? one : (withoutKey?.(one.id) ?? (await foundImage(one, accepts)));
        if ('manifest' in outcome) {
          bytes += outcome.manifest.bytes.byteLength;
          if (!input.isLook) pullTimes.note(call, repository.id, outcome.manifest.digest);
        }
        if (bytes > ANSWER_BYTES_MAX) refuse({ kind: 'limit-exceeded', reason: ANSWER_TOO_LARGE });
        outcomes.push(outcome);
      }
      return {
        images: outcomes.filter((one) => 'manifest' in one),
        failures: outcomes.filter((one) => 'code' in one),
      };
    },

    async list(call, input) {
      const repository = await repositoryOf(call, input);
      const found = await read.images.pairs(repository.id, input, input.after, input.limit + 1);
      const { items, last } = splitPage(found, input.limit);
      return { images: items, ...(last && { next: last }) };
    },

    async describe(call, input) {
      const repository = await repositoryOf(call, input);
      const found = await read.images.page(repository.id, input, input.after, input.limit + 1);
      const { items, last } = splitPage(found, input.limit);
      return { images: items, ...(last && { next: last.digest }) };
    },

    async describeMany(call, input) {
      const repository = await repositoryOf(call, input);
      const resolved = await resolveImages(read, repository, input.imageIds);
      const images = resolved.map((one): TaggedImage => {
        if ('code' in one) return refuseFailure(call, input.repositoryName, one, 'imageIds');
        return one.image;
      });
      return [...new Map(images.map((image) => [image.id, image])).values()];
    },

    async tags(call, input) {
      const repository = await repositoryOf(call, input);
      const found = await read.images.tags(repository.id, input.after, input.limit + 1);
      const { items, last } = splitPage(found, input.limit);
      return { tags: items, ...(last !== undefined && { next: last }) };
    },

    async referrers(call, input) {
      const repository = await repositoryOf(call, input);
      const { subject, limit } = input;
      const referrers: Image[] = [];
      let manifestBytes = 0;
      let after: string | undefined = input.after;
      while (after !== undefined && referrers.length < limit && manifestBytes < REFERRERS_MANIFEST_BYTES) {
        const wanted = Math.min(limit - referrers.length, REFERRERS_READ_MAX);
        const found = await read.images.referrers(repository.id, subject, input, after, wanted + 1);
        const { items, last } = splitPage(found, wanted);
        referrers.push(...items);
        for (const item of items) manifestBytes += item.manifestBytes;
        after = last?.digest;
      }
      return { referrers, ...(after && { next: after }) };
    },
  };

  /** What to say of every image of a repository whose key cannot be used; undefined while it can. */
  async function kmsFailure(repository: Repository): Promise<((id: ImageIdentifier) => ImageFailure) | undefined> {
    try {
      await encryption.requireKey(repository);
      return undefined;
    } catch (error) {
      if (!(error instanceof RefusedError) || error.refusal.kind !== 'kms') throw error;
      const { message } = error;
      return (id) => failureOf(id, 'KmsError', message);
    }
  }

  async function foundImage(
    { image, id }: ResolvedImage,
    accepts: (mediaType: string) => boolean,
  ): Promise<FoundImage | ImageFailure> {
    if (image.status !== 'ACTIVE') {
      return failureOf(id, 'ImageInaccessible', `Requested image ${ARCHIVED_WORDS[image.status]}`);
    }
    const manifest = accepts(image.mediaType) && (await read.images.manifest(image.repositoryId, image.digest));
    if (!manifest) return failureOf(id, 'ImageNotFound', 'Requested image not found');
    const tag = id.imageTag !== undefined && { imageTag: id.imageTag };
    return { imageId: { imageDigest: image.digest, ...tag }, manifest };
  }

  async function manifestOf(name: RepositoryName, reference: ImageReference): Promise<StoredManifest | undefined> {
    if ('tag' in reference) return read.images.manifestIn(name, reference);
    const digest = parseDigest(reference.digest);
    return digest && read.images.manifestIn(name, { digest });
  }
}

const unnoted: Pick<PullTimes, 'note'> = { note() {} };

/** Manifests of one answer together; a hundred of the largest would be 400 MiB in memory. */
export const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
export const ANSWER_TOO_LARGE = `The manifests asked for are together larger than ${ANSWER_BYTES_MAX} bytes; ask for fewer at once`;

/** Referrers come with annotations, which may be as large as their manifests: so many are read at a time … */
const REFERRERS_READ_MAX = 10;
/** … and no more once their manifests are as large as this together. */
const REFERRERS_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Formats are never converted: an image whose type the caller does not take is as good as not there. */
export function acceptance(acceptedMediaTypes: readonly string[] | undefined): (mediaType: string) => boolean {
  if (!acceptedMediaTypes) return () => true;
  const accepted = new Set(acceptedMediaTypes.map(essenceOf));
  return (mediaType) => accepted.has(mediaType) || accepted.has('*/*');
}

function identifierOf(reference: ImageReference): ImageIdentifier {
  return 'tag' in reference ? { imageTag: reference.tag } : { imageDigest: reference.digest };
}

function refuseArchived(
  call: Call,
  repositoryName: string,
  imageId: ImageIdentifier,
  status: Exclude<ImageStatus, 'ACTIVE'>,
): never {
  return refuse({ kind: 'image-archived', imageId, status, repositoryName, registryId: call.registry.accountId });
}
