import type { BlobReader, ByteRange } from '../../core/blob-store.ts';
import { TransferError } from '../../core/transfer/transfer.ts';

/** Files by their paths below a root, such as `blobs/sha256/…`: a folder's, or those in a tar archive. */
export interface LayoutFiles extends AsyncDisposable {
  /** As messages call it. */
  readonly name: string;
  /** Length of a file; undefined when there is none. Rejects with TransferError for what leads out of the root. */
  stat(path: string): Promise<{ readonly bytes: number } | undefined>;
  /** Chunks belong to the reader for good. Rejects with TransferError when there is no such file. */
  read(path: string, range: ByteRange): Promise<BlobReader>;
}

/** A file that is small, or is refused. */
export async function readSmallFile(
  files: LayoutFiles,
  path: string,
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  const found = await files.stat(path);
  if (!found) return undefined;
  if (found.bytes > bytesMax) {
    throw new TransferError('invalid', `${files.name}: ${path} has ${found.bytes} bytes; ${bytesMax} are read at most`);
  }
  if (found.bytes === 0) return new Uint8Array();
  await using reader = await files.read(path, { first: 0, last: found.bytes - 1 });
  const content = new Uint8Array(found.bytes);
  let at = 0;
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    content.set(chunk, at);
    at += chunk.byteLength;
  }
  return content;
}

/** A file of JSON with an object in it; undefined when there is no file. */
export async function readJsonFile(files: LayoutFiles, path: string, bytesMax: number): Promise<unknown> {
  const content = await readSmallFile(files, path, bytesMax);
  if (!content) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch (cause) {
    throw new TransferError('invalid', `${files.name}: ${path} is no JSON`, { cause });
  }
}
