import type { Call } from '../access/caller.ts';
import { type BlobAppender, StagedOffsetError } from '../blob-store.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { refusingWhenFull } from '../storage-full.ts';
import { findUpload, refuseUpload } from './find-upload.ts';
import { layerTooLarge } from './part-rules.ts';
import type { Upload } from './upload-records.ts';
import type { UploadWriters } from './upload-writers.ts';
import type { UploadAppend, UploadReference } from './uploads.ts';

/** Opens an upload for a stream of bytes; see `Uploads.append`. */
export async function openAppend(
  dependencies: CoreDependencies,
  writers: UploadWriters,
  call: Call,
  input: UploadReference & { firstByte?: number },
): Promise<UploadAppend> {
  const { blobs, metadata } = dependencies;
  const { repository } = await findUpload(metadata.read, call, input);
  const writer = writers.hold(call.registry.accountId, input);
  try {
    // Once more, now that nobody else writes: a part may have come since.
    const upload = (await metadata.read.uploads.find(repository.id, input.uploadId)) ?? refuseUpload(call, input);
    await touchIfIdle(dependencies, call, input, upload);
    const received = await receivedBytes(dependencies, call, input, upload);
    if (input.firstByte !== undefined && input.firstByte !== received) {
      refuse({
        kind: 'layer-part-invalid',
        ...inUpload(call, input),
        ...(received > 0 && { lastValidByteReceived: received - 1 }),
        reason: `First byte of the layer part is ${input.firstByte} instead of ${received}`,
      });
    }
    const appender = await blobs.appender(upload.id, received);
    return guardedAppend(dependencies, call, input, upload, { appender, received, writer });
  } catch (error) {
    writer[Symbol.dispose]();
    if (error instanceof StagedOffsetError) refuseUpload(call, input);
    throw error;
  }
}

function guardedAppend(
  { metadata, now, quotas: { limits } }: CoreDependencies,
  call: Call,
  reference: UploadReference,
  upload: Upload,
  { appender, received, writer }: { appender: BlobAppender; received: number; writer: Disposable },
): UploadAppend {
  let total = received;
  return {
    write(chunk) {
      total += chunk.byteLength;
      if (total > limits['layer-bytes']) {
        refuse({ kind: 'layer-limit-exceeded', ...inUpload(call, reference), reason: layerTooLarge(limits) });
      }
      return appender.write(chunk);
    },
    drained: () => refusingWhenFull(() => appender.drained()),
    async close() {
      try {
        const hasParts = upload.parts > 0;
        const bytes = await refusingWhenFull(() => appender.close(hasParts));
        if (hasParts) {
          await metadata.transaction('own-rows', async (records) => {
            if (!(await records.uploads.find(upload.repositoryId, upload.id))) refuseUpload(call, reference);
            await records.uploads.update(upload.id, { bytes, touchedAt: now() });
          });
        }
        return { bytes };
      } finally {
        writer[Symbol.dispose]();
      }
    },
  };
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
async function receivedBytes(
  { blobs }: CoreDependencies,
  call: Call,
  reference: UploadReference,
  upload: Upload,
): Promise<number> {
  const staged = await blobs.stagedBytes(upload.id);
  if (upload.parts === 0) return staged;
  if (staged < upload.bytes) refuseUpload(call, reference);
  if (staged > upload.bytes) await blobs.truncate(upload.id, upload.bytes);
  return upload.bytes;
}

export function inUpload(call: Call, { repositoryName, uploadId }: UploadReference) {
  return { repositoryName, uploadId, registryId: call.registry.accountId };
}
