import type { SealedBlob, StagedUpload } from '../../../core/blob-store.ts';
import type { Bucket } from './bucket.ts';
import { DATA, dataAt, SEALED, sealedAt, UPLOADS, uploadAt } from './keys.ts';
import { bytesOf } from './staged-state.ts';
import type { StagedUploads } from './staged-uploads.ts';

export async function* listSealed(bucket: Bucket): AsyncGenerator<SealedBlob> {
  for await (const { key, changedAt } of bucket.list(SEALED)) {
    const location = key.slice(SEALED.length);
    const sealed = sealedAt(location);
    if (sealed === undefined) continue;
    const { digest, bytes, uploadId } = sealed;
    yield { location, digest, bytes, sealedAt: changedAt, uploadId };
  }
}

/** Uploads with a state, and those of which only remains lie about. */
export async function* listStaged(bucket: Bucket, uploads: StagedUploads): AsyncGenerator<StagedUpload> {
  const told = new Set<string>();
  for await (const { key, changedAt } of bucket.list(UPLOADS)) {
    const uploadId = uploadAt(key);
    const state = uploadId === undefined ? undefined : await uploads.peek(uploadId);
    if (uploadId === undefined || state === undefined) continue;
    told.add(uploadId);
    yield { uploadId, bytes: bytesOf(state), changedAt };
  }
  for await (const remain of listRemains(bucket)) {
    if (told.has(remain.uploadId)) continue;
    told.add(remain.uploadId);
    yield remain;
  }
}

/** Multipart uploads that were not completed, and objects that no sealed name names. */
async function* listRemains(bucket: Bucket): AsyncGenerator<StagedUpload> {
  for await (const { key, startedAt } of bucket.multiparts(DATA)) {
    const data = dataAt(key);
    if (data !== undefined) yield { uploadId: data.uploadId, bytes: 0, changedAt: startedAt };
  }
  // Both are sorted by upload, so that each is read once.
  const sealed = bucket.list(SEALED);
  let next = await sealed.next();
  let names = new Set<string>();
  let named = '';
  for await (const { key, bytes, changedAt } of bucket.list(DATA)) {
    const data = dataAt(key);
    if (data === undefined) continue;
    const { uploadId, name } = data;
    if (named !== uploadId) names = new Set();
    named = uploadId;
    for (; !next.done; next = await sealed.next()) {
      const blob = sealedAt(next.value.key.slice(SEALED.length));
      if (blob !== undefined && blob.uploadId > uploadId) break;
      if (blob?.uploadId === uploadId && blob.name !== undefined) names.add(blob.name);
    }
    if (!names.has(name)) yield { uploadId, bytes, changedAt };
  }
}
