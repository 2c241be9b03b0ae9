import type { Call } from '../access/caller.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { RefusedError, refuse } from '../errors.ts';
import type { Records } from '../metadata-store.ts';
import { ensureRepository } from '../repositories/create-repository.ts';
import { findRepository } from '../repositories/find-repository.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { isTagImmutable } from '../repositories/tag-mutability.ts';
import { refusingWhenFull } from '../storage-full.ts';
import { algorithmOf, type Digest, digestOf, parseDigest } from '../values/digest.ts';
import { isTag } from '../values/image-reference.ts';
import {
  type Descriptor,
  MANIFEST_BYTES_MAX,
  type Manifest,
  ManifestError,
  parseManifest,
} from '../values/manifest.ts';
import { isIndex } from '../values/media-type.ts';
import { type Change, changeBy, changeTimes, notePush, putTag } from './image-changes.ts';
import type { Image } from './image-records.ts';
import type { PutImageInput, PutImageResult } from './images.ts';

/** ECR service quotas, "Tags per image". */
const TAGS_PER_IMAGE_MAX = 1000;

/** PutImage and PUT manifest; see `Images.put`. All of it is one transaction, so what the manifest names cannot vanish. */
export async function putImage(
  dependencies: CoreDependencies,
  call: Call,
  input: PutImageInput,
): Promise<PutImageResult> {
  const { metadata, now, settings } = dependencies;
  if (input.createOnPush && settings.createOnPush) {
    await ensureRepository(metadata, call.registry, input.repositoryName, now());
  }
  const repository = await findRepository(metadata.read, call.registry, input.repositoryName);
  if (input.tag !== undefined) checkTag(input.tag);
  const manifest = readManifest(input);
  const digest = checkDigest(call, input);
  const push = { call, input, manifest, digest };
  const times = changeTimes(dependencies);
  await refusingWhenFull(() =>
    metadata.transaction(async (records) => {
      const present = await findRepository(records, call.registry, repository.name);
      await putInto(records, changeBy(call, present, times), push);
    }),
  );
  const subjectDigest = manifest.subject?.digest;
  return { digest, mediaType: manifest.mediaType, ...(subjectDigest && { subjectDigest }) };
}

interface Push {
  readonly call: Call;
  readonly input: PutImageInput;
  readonly manifest: Manifest;
  readonly digest: Digest;
}

async function putInto(records: Records, change: Change, push: Push): Promise<void> {
  const { repository } = change;
  const { tag, idempotent } = push.input;
  const tagged = tag === undefined ? undefined : await records.images.findByTag(repository.id, tag);
  const present = await records.images.find(repository.id, push.digest);
  const changesNothing = present && (tag === undefined || tagged?.digest === push.digest);
  if (changesNothing) {
    if (!idempotent) refuseExisting(push);
    return;
  }
  if (tag !== undefined && tagged && isTagImmutable(repository, tag)) {
    refuse({ kind: 'image-tag-already-exists', tag, repositoryName: repository.name });
  }
  const image = present ?? (await insertImage(records, change, push));
  if (tag === undefined) return notePush(records, change, image, tag);
  if ((await records.images.countTags(image.id)) >= TAGS_PER_IMAGE_MAX) {
    const reason = `The image with digest '${push.digest}' can have at most ${TAGS_PER_IMAGE_MAX} tags`;
    refuse({ kind: 'limit-exceeded', reason });
  }
  await putTag(records, change, image, tag);
  await notePush(records, change, image, tag);
}

async function insertImage(records: Records, change: Change, push: Push): Promise<Image> {
  const { repository, at: pushedAt } = change;
  const { manifest, digest, input } = push;
  const present = await requireBlobs(records, repository, push);
  const childrenBytes = await requireChildren(records, repository, push);
  // Sizes are those of the bytes: what a manifest claims is the client's word, and may add up to more than a number holds.
  const blobBytes = manifest.blobs.reduce((sum, { digest }) => sum + present.get(digest)!, 0);
  const image = await records.images.insert(
    {
      repositoryId: repository.id,
      digest,
      mediaType: manifest.mediaType,
      ...(manifest.artifactType && { artifactType: manifest.artifactType }),
      ...(manifest.subject && { subjectDigest: manifest.subject.digest }),
      manifestBytes: input.manifest.byteLength,
      imageBytes: isIndex(manifest.mediaType) ? Math.max(0, ...childrenBytes, blobBytes) : blobBytes,
      ...(manifest.annotations && { annotations: manifest.annotations }),
      pushedAt,
    },
    input.manifest,
    uniqueDigests([...manifest.foreign.filter((layer) => present.has(layer.digest)), ...manifest.blobs]),
    uniqueDigests(manifest.children).map((child) => child.digest),
  );
  if (!image) throw new Error(`Image ${digest} appeared within a transaction`);
  await records.history.forgetImage(repository.id, digest);
  return image;
}

/** @returns the size of every layer of the manifest that is in the repository, as those that are not foreign must be */
async function requireBlobs(records: Records, repository: Repository, push: Push): Promise<Map<Digest, number>> {
  const { blobs, foreign } = push.manifest;
  const asked = uniqueDigests([...blobs, ...foreign]).map(({ digest }) => digest);
  const found = await records.layers.findMany(repository.id, asked);
  const present = new Map(found.map(({ digest, bytes }) => [digest, bytes]));
  const digests = uniqueDigests(blobs)
    .map(({ digest }) => digest)
    .filter((digest) => !present.has(digest));
  if (digests.length > 0) refuse({ kind: 'layers-not-found', digests, ...placeOf(push) });
  return present;
}

/** @returns the sizes of the children, which must all be in the repository */
async function requireChildren(records: Records, repository: Repository, push: Push): Promise<number[]> {
  const wanted = uniqueDigests(push.manifest.children).map(({ digest }) => digest);
  const children = await records.images.findMany(repository.id, wanted);
  const found = new Set(children.map(({ digest }) => digest));
  const digests = wanted.filter((digest) => !found.has(digest));
  if (digests.length > 0) refuse({ kind: 'referenced-images-not-found', digests, ...placeOf(push) });
  return children.map(({ imageBytes }) => imageBytes);
}

function readManifest({ manifest, mediaType }: PutImageInput): Manifest {
  if (manifest.byteLength > MANIFEST_BYTES_MAX) {
    const constraint = `must have length less than or equal to ${MANIFEST_BYTES_MAX}`;
    refuse({ kind: 'manifest-invalid', reason: constraint });
  }
  try {
    return parseManifest(manifest, mediaType);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new RefusedError({ kind: 'manifest-invalid', reason: error.message }, { cause: error });
  }
}

/** The digest the image is known by: the client's if it is right, else sha256. */
function checkDigest(call: Call, { manifest, digest: given, repositoryName }: PutImageInput): Digest {
  if (given === undefined) return digestOf(manifest);
  const parsed = parseDigest(given);
  if (!parsed || digestOf(manifest, algorithmOf(parsed)) !== parsed) {
    refuse({ kind: 'image-digest-mismatch', digest: given, repositoryName, registryId: call.registry.accountId });
  }
  return parsed;
}

function checkTag(tag: string): void {
  if (isTag(tag)) return;
  const constraint = "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'";
  refuse({ kind: 'invalid-parameter', parameter: 'imageTag', constraint });
}

function refuseExisting({ call, input, digest }: Push): never {
  const { repositoryName, tag } = input;
  const registryId = call.registry.accountId;
  return refuse({
    kind: 'image-already-exists',
    digest,
    repositoryName,
    registryId,
    ...(tag !== undefined && { tag }),
  });
}

function placeOf({ call, input }: Push) {
  return { repositoryName: input.repositoryName, registryId: call.registry.accountId };
}

function uniqueDigests(descriptors: readonly Descriptor[]): Descriptor[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()];
}
