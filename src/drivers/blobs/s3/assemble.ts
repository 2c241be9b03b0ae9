import { randomBytes } from 'node:crypto';
import type { Bucket } from './bucket.ts';
import { dataKey } from './keys.ts';
import { copyRanges } from './part-sizes.ts';
import { isNoSuchUpload } from './s3-errors.ts';
import type { ObjectBase, OpenBase } from './staged-state.ts';
import { bytesOf } from './staged-state.ts';
import type { Staged } from './staged-uploads.ts';

/** Begins a multipart upload for an upload's bytes. */
export async function startBase(bucket: Bucket, uploadId: string): Promise<OpenBase> {
  const name = randomBytes(8).toString('hex');
  const multipartId = await bucket.startMultipart(dataKey(uploadId, name));
  return { kind: 'open', name, multipartId, parts: [] };
}

/** Begins a multipart upload with the bytes of an object, which the store copies to itself. */
export async function reopenBase(bucket: Bucket, uploadId: string, from: ObjectBase): Promise<OpenBase> {
  const base = await startBase(bucket, uploadId);
  const [key, source] = [dataKey(uploadId, base.name), dataKey(uploadId, from.name)];
  const copies = copyRanges(from.bytes).map((range, index) =>
    bucket.copyPart(key, base.multipartId, index + 1, { key: source, range }),
  );
  return { ...base, parts: await Promise.all(copies) };
}

/**
 * Makes one object of everything staged; repeatable, also after a crash.
 *
 * @param staged with a base: a tail alone is no data object
 */
export async function assemble(bucket: Bucket, uploadId: string, staged: Staged): Promise<ObjectBase> {
  const { state, tail } = staged;
  const bytes = bytesOf(state);
  const { base } = state;
  if (base === undefined) throw new Error('There is nothing but a tail to assemble');
  if (base.kind === 'object' && base.objectBytes === bytes && tail.byteLength === 0) return base;
  const open = base.kind === 'open' ? base : await reopenBase(bucket, uploadId, base);
  const key = dataKey(uploadId, open.name);
  try {
    const partNumber = open.parts.length + 1;
    const last = tail.byteLength > 0 && (await bucket.uploadPart(key, open.multipartId, partNumber, tail));
    await bucket.completeMultipart(key, open.multipartId, last ? [...open.parts, last] : open.parts);
  } catch (error) {
    // Completed before a crash, or by a request whose answer was lost.
    if (!isNoSuchUpload(error) || (await bucket.head(key))?.bytes !== bytes) throw error;
  }
  return { kind: 'object', name: open.name, objectBytes: bytes, bytes };
}
