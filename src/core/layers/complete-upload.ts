import type { Call } from '../access/caller.ts';
import type { KeptBytes } from '../blob-store.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { findRepository } from '../repositories/find-repository.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { algorithmOf, type Digest, type DigestAlgorithm, parseDigest } from '../values/digest.ts';
import { inUpload } from './append-upload.ts';
import { refuseUpload } from './find-upload.ts';
import { hasPartTooSmall } from './part-rules.ts';
import { storeLayer } from './store-layer.ts';
import type { Upload } from './upload-records.ts';
import type { UploadWriter } from './upload-writer.ts';
import type { UploadWriters } from './upload-writers.ts';
import type { UploadReference } from './uploads.ts';

/** CompleteLayerUpload; see `Uploads.complete`. The order of the checks is ECR's. */
export async function completeUpload(
  dependencies: CoreDependencies,
  writers: UploadWriters,
  call: Call,
  input: UploadReference & { digests: readonly string[] },
): Promise<{ digest: Digest }> {
  const ending = await beginEnding(dependencies, writers, call, input);
  await using _ = ending.writer;
  if (ending.upload.parts === 0 && ending.bytes === 0) refuse({ kind: 'upload-empty', ...inUpload(call, input) });
  if (hasPartTooSmall(ending.upload)) refuse({ kind: 'layer-part-too-small', ...inUpload(call, input) });

  const claimed = input.digests.filter((digest) => digest.startsWith('sha256:')).map((digest) => digest.toLowerCase());
  const { digest, existed } = await endUpload(dependencies, call, input, ending, 'sha256', claimed);
  if (existed) {
    const { repositoryName } = input;
    refuse({ kind: 'layer-already-exists', digest, repositoryName, registryId: call.registry.accountId });
  }
  return { digest };
}

/** The OCI end of an upload; see `Uploads.finish`. */
export async function finishUpload(
  dependencies: CoreDependencies,
  writers: UploadWriters,
  call: Call,
  input: UploadReference & { digest: Digest },
): Promise<void> {
  const ending = await beginEnding(dependencies, writers, call, input);
  await using _ = ending.writer;
  if (hasPartTooSmall(ending.upload)) refuse({ kind: 'layer-part-too-small', ...inUpload(call, input) });
  await endUpload(dependencies, call, input, ending, algorithmOf(input.digest), [input.digest]);
}

interface Ending {
  readonly repository: Repository;
  readonly upload: Upload;
  readonly writer: UploadWriter;
  readonly kept: KeptBytes;
  /** Size the layer will have. */
  readonly bytes: number;
  /** Fewer than `bytes` when a crash came between sealing and recording. */
  readonly stagedBytes: number;
}

/** Takes the upload's one writer's place and finds how many bytes there are; the caller disposes of `writer`. */
async function beginEnding(
  { metadata, encryption }: CoreDependencies,
  writers: UploadWriters,
  call: Call,
  input: UploadReference,
): Promise<Ending> {
  const repository = await findRepository(metadata.read, call.registry, input.repositoryName);
  const writer = await writers.hold(call, repository.id, input);
  try {
    const { upload } = writer;
    const kept = await encryption.bytes(upload.protection);
    const stagedBytes = await kept.stagedBytes(upload.id);
    const bytes = upload.parts > 0 ? upload.bytes : stagedBytes;
    if (stagedBytes > bytes) await kept.truncate(upload.id, bytes);
    return { repository, upload, writer, kept, bytes, stagedBytes: Math.min(stagedBytes, bytes) };
  } catch (error) {
    await writer[Symbol.asyncDispose]();
    throw error;
  }
}

/** Verifies the digest and stores the layer. With no claim of the algorithm there is nothing to compare with. */
async function endUpload(
  dependencies: CoreDependencies,
  call: Call,
  input: UploadReference,
  ending: Ending,
  algorithm: DigestAlgorithm,
  claimed: readonly string[],
): Promise<{ digest: Digest; existed: boolean }> {
  const { repository, upload, kept, bytes, stagedBytes } = ending;
  if (stagedBytes < bytes) return recoverSealed(dependencies, call, input, ending, claimed);
  const digest = await kept.digest(upload.id, algorithm);
  if (claimed.length > 0 && !claimed.includes(digest)) {
    refuse({ kind: 'layer-digest-mismatch', ...inUpload(call, input) });
  }
  ending.writer.requireHeld();
  const stored = await storeLayer(dependencies, repository, upload, { digest, bytes, kept });
  if (!stored) return refuseUpload(call, input);
  ending.writer.ended();
  return { digest, existed: stored.existed };
}

/** After a crash between sealing and recording, the sealed bytes (verified before they were sealed) are found again. */
async function recoverSealed(
  dependencies: CoreDependencies,
  call: Call,
  input: UploadReference,
  { repository, upload, bytes, writer, kept }: Ending,
  claimed: readonly string[],
): Promise<{ digest: Digest; existed: boolean }> {
  for (const text of claimed) {
    const digest = parseDigest(text);
    const stored = digest && (await storeLayer(dependencies, repository, upload, { digest, bytes, kept }));
    if (!stored) continue;
    writer.ended();
    return { digest, existed: stored.existed };
  }
  return refuseUpload(call, input);
}
