import type { Call } from '../access/caller.ts';
import { type BlobAppender, type KeptBytes, StagedOffsetError } from '../blob-store.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { findRepository } from '../repositories/find-repository.ts';
import { refusingWhenFull } from '../storage-full.ts';
import { refuseUpload } from './find-upload.ts';
import { layerTooLarge } from './part-rules.ts';
import type { Upload } from './upload-records.ts';
import type { UploadWriter } from './upload-writer.ts';
import type { UploadWriters } from './upload-writers.ts';
import type { UploadAppend, UploadReference } from './uploads.ts';

/** Opens an upload for a stream of bytes; see `Uploads.append`. */
export async function openAppend(
  dependencies: CoreDependencies,
  writers: UploadWriters,
  call: Call,
  input: UploadReference & { firstByte?: number },
): Promise<UploadAppend> {
  const { encryption, metadata } = dependencies;
  const { id: repositoryId } = await findRepository(metadata.read, call.registry, input.repositoryName);
  const writer = await writers.hold(call, repositoryId, input);
  try {
    const { upload } = writer;
    const kept = await encryption.bytes(upload.protection);
    await touchIfIdle(dependencies, call, input, upload);
    const received = await receivedBytes(kept, call, input, upload);
    if (input.firstByte !== undefined && input.firstByte !== received) {
      refuse({
        kind: 'layer-part-invalid',
        ...inUpload(call, input),
        ...(received > 0 && { lastValidByteReceived: received - 1 }),
        reason: `First byte of the layer part is ${input.firstByte} instead of ${received}`,
      });
    }
    const appender = await kept.appender(upload.id, received);
    return guardedAppend(dependencies, call, input, { appender, received, writer });
  } catch (error) {
    await writer[Symbol.asyncDispose]();
    if (error instanceof StagedOffsetError) refuseUpload(call, input);
    throw error;
  }
}

function guardedAppend(
  { now, quotas: { limits } }: CoreDependencies,
  call: Call,
  reference: UploadReference,
  { appender, received, writer }: { appender: BlobAppender; received: number; writer: UploadWriter },
): UploadAppend {
  let total = received;
  writer.lost?.addEventListener('abort', () => void abandon(appender));
  return {
    write(chunk) {
      writer.requireHeld();
      total += chunk.byteLength;
      if (total > limits['layer-bytes']) {
        refuse({ kind: 'layer-limit-exceeded', ...inUpload(call, reference), reason: layerTooLarge(limits) });
      }
      return appender.write(chunk);
    },
    async drained() {
      try {
        await refusingWhenFull(() => appender.drained());
      } catch (error) {
        writer.requireHeld();
        throw error;
      }
    },
    async close() {
      await using _ = writer;
      writer.requireHeld();
      const hasParts = writer.upload.parts > 0;
      const bytes = await refusingWhenFull(() => appender.close(hasParts));
      await writer.acknowledge(hasParts ? { bytes, touchedAt: now() } : {});
      return { bytes };
    },
  };
}

/** Ends an append of which nothing more may come into the store. */
export async function abandon(appender: BlobAppender): Promise<void> {
  await (appender.abandon?.() ?? appender.close(false)).catch(() => {});
}

/**
 * Streams write no records; but an upload that may be about to be forgotten for its idleness is marked before it goes on,
 * at most once in half the time that makes it idle.
 */
async function touchIfIdle(
  { metadata, now, settings }: CoreDependencies,
  call: Call,
  reference: UploadReference,
  upload: Upload,
): Promise<void> {
  if (upload.touchedAt >= secondsAfter(now(), -settings.uploadIdleSeconds / 2)) return;
  await metadata.transaction('own-rows', async (records) => {
    if (!(await records.uploads.find(upload.repositoryId, upload.id))) refuseUpload(call, reference);
    await records.uploads.update(upload.id, { touchedAt: now() });
  });
}

/** How far the upload has come; cuts off what no answer ever acknowledged of a part. */
async function receivedBytes(kept: KeptBytes, call: Call, reference: UploadReference, upload: Upload): Promise<number> {
  const staged = await kept.stagedBytes(upload.id);
  if (upload.parts === 0) return staged;
  if (staged < upload.bytes) refuseUpload(call, reference);
  if (staged > upload.bytes) await kept.truncate(upload.id, upload.bytes);
  return upload.bytes;
}

export function inUpload(call: Call, { repositoryName, uploadId }: UploadReference) {
  return { repositoryName, uploadId, registryId: call.registry.accountId };
}
