import type { Call } from '../access/caller.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { RefusedError, refuse } from '../errors.ts';
import type { Records } from '../metadata-store.ts';
import type { QuotaGuard } from '../quotas/quota-guard.ts';
import { ensureRepository } from '../repositories/create-repository.ts';
import { findRepository } from '../repositories/find-repository.ts';
import { isTagImmutable } from '../repositories/tag-mutability.ts';
import { refusingWhenFull } from '../storage-full.ts';
import { algorithmOf, type Digest, digestOf, parseDigest } from '../values/digest.ts';
import { isTag } from '../values/image-reference.ts';
import { MANIFEST_BYTES_MAX, type Manifest, ManifestError, parseManifest } from '../values/manifest.ts';
import { type Change, changeBy, changeTimes, notePush, putTag } from './image-changes.ts';
import type { PutImageInput, PutImageResult } from './images.ts';
import { recordImage, requireRoomForTag } from './record-image.ts';
import { reactivate } from './storage-class.ts';

/** PutImage and PUT manifest; see `Images.put`. All of it is one transaction, so what the manifest names cannot vanish. */
export async function putImage(
  dependencies: CoreDependencies,
  call: Call,
  input: PutImageInput,
): Promise<PutImageResult> {
  const { metadata, encryption, quotas } = dependencies;
  if (input.createOnPush) {
    await ensureRepository(dependencies, call.registry, input.repositoryName, 'CREATE_ON_PUSH');
  }
  const repository = await findRepository(metadata.read, call.registry, input.repositoryName);
  if (input.tag !== undefined) checkTag(input.tag);
  await encryption.requireKey(repository);
  const manifest = readManifest(input);
  const digest = checkDigest(call, input);
  const push = { call, input, manifest, digest, quotas };
  const { cause, replicatedFrom } = input;
  const origin = { ...(cause && { cause }), ...(replicatedFrom && { replicatedFrom }) };
  const times = { ...changeTimes(dependencies), ...origin };
  await refusingWhenFull(() =>
    metadata.transaction('repository', async (records) => {
      const present = await findRepository(records, call.registry, repository.name);
      await input.recheck?.(records);
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
  readonly quotas: QuotaGuard;
}

async function putInto(records: Records, change: Change, push: Push): Promise<void> {
  const { repository } = change;
  const { tag, idempotent } = push.input;
  const [tagged, present] = await Promise.all([
    tag === undefined ? undefined : records.images.findByTag(repository.id, tag),
    records.images.find(repository.id, push.digest),
  ]);
  const keepsTags = tag === undefined || tagged?.digest === push.digest;
  if (present && keepsTags) {
    // "The image can be restored … by re-pushing the image" (ECR user guide, "Archiving an image").
    if (present.status !== 'ACTIVE') return reactivate(records, change, present);
    if (!idempotent) refuseExisting(push);
    return;
  }
  if (tag !== undefined && tagged && isTagImmutable(repository, tag)) {
    refuse({ kind: 'image-tag-already-exists', tag, repositoryName: repository.name });
  }
  const { digest, manifest, input, quotas } = push;
  const unrecorded = { digest, manifest, bytes: input.manifest, pushedAt: change.at };
  if (present && present.status !== 'ACTIVE') await reactivate(records, change, present);
  const image = present ?? (await recordImage(records, change, unrecorded, quotas));
  if (tag === undefined) return notePush(records, change, image, tag);
  // What needs no other's answer is asked for at once: a database that is far away then answers all of it at once.
  await Promise.all([
    requireRoomForTag(records, image, quotas),
    putTag(records, change, image, tag, tagged),
    notePush(records, change, image, tag),
  ]);
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
