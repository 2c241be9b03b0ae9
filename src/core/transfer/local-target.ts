import type { Call } from '../access/caller.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { RefusedError } from '../errors.ts';
import type { PutImageInput } from '../images/images.ts';
import { putImage } from '../images/put-image.ts';
import { createLayers } from '../layers/layers.ts';
import { blobScopeOf } from '../layers/store-layer.ts';
import { createUploads } from '../layers/upload-pipeline.ts';
import type { UploadReference, Uploads } from '../layers/uploads.ts';
import { findRepository } from '../repositories/find-repository.ts';
import { type Digest, parseDigest } from '../values/digest.ts';
import { createSharedWork, type SharedWork } from './shared-work.ts';
import { type ImageTarget, type TransferBlob, TransferError } from './transfer.ts';

export interface LocalTargetOptions extends Pick<PutImageInput, 'cause' | 'replicatedFrom' | 'recheck'> {
  /** Shared by targets that may be given the same blobs at the same time, so that one of them is. */
  readonly sharedWork?: SharedWork;
}

/** A repository of this server as a target; it must exist. Bytes take the way of an upload, digests are verified. */
export function createLocalTarget(
  dependencies: CoreDependencies,
  call: Call,
  repositoryName: string,
  { sharedWork = createSharedWork(), ...origin }: LocalTargetOptions = {},
): ImageTarget {
  const { metadata } = dependencies;
  const uploads = createUploads(dependencies);
  const layers = createLayers(dependencies);
  const scope = `${call.registry.accountId}/${call.registry.region}`;

  /** The lease of a layer that is told to be there is renewed: it stays until the manifest comes. */
  const hasLayer = async (digest: Digest) => {
    const { layers: found } = await layers.checkAvailability(call, { repositoryName, digests: [digest] });
    return found[0]?.availability === 'AVAILABLE';
  };

  return {
    async has(reference, digest) {
      const { id } = await findRepository(metadata.read, call.registry, repositoryName);
      const isTag = parseDigest(reference) === undefined;
      const image = await (isTag
        ? metadata.read.images.findByTag(id, reference)
        : metadata.read.images.find(id, digest));
      return image?.digest === digest && image.status === 'ACTIVE';
    },

    async putBlob(blob, { signal } = {}) {
      if (await hasLayer(blob.digest)) return 'present';
      // Of two that bring the same bytes into a registry one waits, and finds them there.
      return sharedWork.oneByOne(`${scope}/${blob.digest}`, async () => {
        if (await attachBlob(dependencies, call, repositoryName, blob.digest)) return 'shared';
        await storeBlob(uploads, call, repositoryName, blob, signal);
        return 'stored';
      });
    },

    async putManifest({ digest, mediaType, content }, tag) {
      const input = { repositoryName, manifest: content, mediaType, digest, idempotent: true, ...origin };
      try {
        await putImage(dependencies, call, { ...input, ...(tag !== undefined && { tag }) });
        return { isTagged: tag !== undefined };
      } catch (error) {
        if (!(error instanceof RefusedError) || error.refusal.kind !== 'image-tag-already-exists') throw error;
        // "The image is replicated without the tag" (ECR user guide, "Private image replication").
        await putImage(dependencies, call, input);
        return { isTagged: false };
      }
    },

    doubt: () => false,
  };
}

/** Makes a blob that the registry has a layer of the repository. @returns false when it has none */
async function attachBlob(
  { metadata, encryption, now, settings }: CoreDependencies,
  { registry }: Call,
  repositoryName: string,
  digest: Digest,
): Promise<boolean> {
  const repository = await findRepository(metadata.read, registry, repositoryName);
  const known = await metadata.read.blobs.find(blobScopeOf(repository), digest);
  if (!known || encryption.isLost(known.protection)) return false;
  const leaseUntil = secondsAfter(now(), settings.layerLeaseSeconds);
  return metadata.transaction('repository', async (records) => {
    const present = await findRepository(records, registry, repositoryName);
    const blob = await records.blobs.find(blobScopeOf(present), digest);
    if (!blob) return false;
    await records.layers.insert({ repositoryId: present.id, digest, blobId: blob.id, leaseUntil });
    return true;
  });
}

async function storeBlob(
  uploads: Uploads,
  call: Call,
  repositoryName: string,
  blob: TransferBlob,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { uploadId } = await uploads.initiate(call, { repositoryName });
  const upload = { repositoryName, uploadId };
  try {
    if (blob.bytes > 0) await pump(uploads, call, upload, blob, signal);
    await uploads.finish(call, { ...upload, digest: blob.digest });
  } catch (error) {
    await uploads.cancel(call, upload).catch(() => {});
    if (!(error instanceof RefusedError) || error.refusal.kind !== 'layer-digest-mismatch') throw error;
    throw new TransferError('invalid', `The bytes of the blob ${blob.digest} have another digest`, { cause: error });
  }
}

async function pump(
  uploads: Uploads,
  call: Call,
  upload: UploadReference,
  { bytes, handsOver, read }: TransferBlob,
  signal: AbortSignal | undefined,
): Promise<void> {
  await using reader = await read({ first: 0, last: bytes - 1 });
  const append = await uploads.append(call, upload);
  try {
    for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
      signal?.throwIfAborted();
      const hasRoom = append.write(handsOver ? chunk : new Uint8Array(chunk));
      if (!handsOver) reader.recycle(chunk);
      if (!hasRoom) await append.drained();
    }
  } finally {
    await append.close();
  }
}
