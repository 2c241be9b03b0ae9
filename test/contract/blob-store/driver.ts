import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { BlobLocation, BlobStore, ByteRange, KeptBytes } from '../../../src/core/blob-store.ts';
import { type Digest, digestOf } from '../../../src/core/values/digest.ts';

/** A driver of BlobStore as the contract suite sees it. */
export interface BlobStoreDriver {
  readonly name: string;
  /** Opens an empty store. */
  open(): Promise<OpenStore>;
}

export interface OpenStore extends AsyncDisposable {
  readonly store: BlobStore;
  /** Opens another instance on the same bytes, as a restart or a second node would; absent when there is no such thing. */
  readonly reopen?: () => Promise<BlobStore>;
}

/** Bytes that repeat only after a megabyte, cheap to make. */
export function contentOf(bytes: number): Buffer {
  const content = Buffer.allocUnsafeSlow(bytes);
  const pattern = randomBytes(Math.min(bytes, 1_000_003));
  for (let at = 0; at < bytes; at += pattern.byteLength) pattern.copy(content, at);
  return content;
}

/** Appends one piece after the other, waiting when asked to; every chunk has memory of its own. */
export async function append(
  store: KeptBytes,
  uploadId: string,
  offset: number,
  content: Uint8Array,
  { durable = false, chunkBytes = 64 * 1024 } = {},
): Promise<number> {
  const appender = await store.appender(uploadId, offset);
  for (let at = 0; at < content.byteLength; at += chunkBytes) {
    if (!appender.write(new Uint8Array(content.subarray(at, at + chunkBytes)))) await appender.drained();
  }
  return appender.close(durable);
}

/** A new upload with these bytes, sealed. */
export async function sealed(
  store: BlobStore,
  content: Uint8Array,
): Promise<{ readonly uploadId: string; readonly location: BlobLocation; readonly digest: Digest }> {
  const uploadId = randomUUID();
  const digest = digestOf(content);
  await append(store, uploadId, 0, content);
  const location = await store.seal(uploadId, digest, content.byteLength);
  if (location === undefined) throw new Error('Nothing was sealed');
  return { uploadId, location, digest };
}

/** Everything a reader gives, handing each chunk back before asking for the next. */
export async function readAll(
  store: KeptBytes,
  location: BlobLocation,
  range?: ByteRange,
): Promise<Buffer | undefined> {
  await using reader = await store.read(location, range);
  if (reader === undefined) return undefined;
  const chunks: Buffer[] = [];
  for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
    chunks.push(Buffer.from(chunk));
    reader.recycle(chunk);
  }
  const content = Buffer.concat(chunks);
  if (content.byteLength !== reader.bytes) throw new Error(`Got ${content.byteLength} of ${reader.bytes} bytes`);
  return content;
}

export async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

export function sha512Of(content: Uint8Array): Digest {
  return `sha512:${createHash('sha512').update(content).digest('hex')}`;
}
