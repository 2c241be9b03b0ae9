import type { Call } from '../access/caller.ts';
import type { KeptBytes } from '../blob-store.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { findRepository } from '../repositories/find-repository.ts';
import { refusingWhenFull } from '../storage-full.ts';
import { abandon, inUpload } from './append-upload.ts';
import { refuseUpload } from './find-upload.ts';
import { afterPart, judgePart, nextPartByte } from './part-rules.ts';
import type { UploadWriter } from './upload-writer.ts';
import type { UploadWriters } from './upload-writers.ts';
import type { UploadReference } from './uploads.ts';

export interface UploadPartInput extends UploadReference {
  readonly firstByte: number;
  readonly lastByte: number;
  readonly chunks: Iterable<Uint8Array>;
  readonly bytes: number;
}

/** UploadLayerPart; see `Uploads.uploadPart`. The bytes are on disk before the record says so, and the record before the answer. */
export async function uploadPart(
  { encryption, metadata, now, quotas }: CoreDependencies,
  writers: UploadWriters,
  call: Call,
  input: UploadPartInput,
): Promise<{ lastByteReceived: number }> {
  const { id: repositoryId } = await findRepository(metadata.read, call.registry, input.repositoryName);
  await using writer = await writers.hold(call, repositoryId, input);
  const { upload } = writer;
  const kept = await encryption.bytes(upload.protection);
  const staged = await kept.stagedBytes(upload.id);
  const expected = nextPartByte(upload, staged, input.firstByte);
  const judged = judgePart(upload, expected, input, quotas.limits);
  if (judged.verdict === 'limit-exceeded') {
    refuse({ kind: 'layer-limit-exceeded', ...inUpload(call, input), reason: judged.reason });
  }
  if (judged.verdict === 'invalid') {
    const received = upload.parts > 0 ? upload.bytes : staged;
    refuse({
      kind: 'layer-part-invalid',
      ...inUpload(call, input),
      // Zero would say that one byte has come.
      ...(received > 0 && { lastValidByteReceived: received - 1 }),
      reason: judged.reason,
    });
  }
  if (staged < expected) refuseUpload(call, input);
  if (staged > expected) await kept.truncate(upload.id, expected);

  await refusingWhenFull(() => stagePart(kept, writer, expected, input.chunks));
  await writer.acknowledge(afterPart(upload, input, now()));
  return { lastByteReceived: input.lastByte };
}

/** Appends a part durably, or not at all. */
async function stagePart(kept: KeptBytes, writer: UploadWriter, offset: number, chunks: Iterable<Uint8Array>) {
  const uploadId = writer.upload.id;
  const appender = await kept.appender(uploadId, offset);
  try {
    for (const chunk of chunks) if (!appender.write(chunk)) await appender.drained();
    writer.requireHeld();
    await appender.close(true);
  } catch (error) {
    await abandon(appender);
    if (!writer.lost?.aborted) await kept.truncate(uploadId, offset);
    throw error;
  }
}
