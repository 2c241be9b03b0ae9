import type { FileHandle } from 'node:fs/promises';
import type { BlobReader } from '../../core/blob-store.ts';
import { TransferError } from '../../core/transfer/transfer.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * Reads a part of a file. A chunk has memory of its own.
 *
 * @param name as messages call the file
 * @param close at disposal
 */
export function createFileReader(
  handle: FileHandle,
  { name, offset, bytes }: { readonly name: string; readonly offset: number; readonly bytes: number },
  close: () => Promise<void>,
): BlobReader {
  let position = offset;
  const end = offset + bytes;
  return {
    bytes,
    async next() {
      if (position === end) return undefined;
      const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, end - position));
      const { bytesRead } = await handle.read(chunk, 0, chunk.byteLength, position);
      if (bytesRead === 0) throw new TransferError('invalid', `${name} ends ${end - position} bytes early`);
      position += bytesRead;
      return chunk.subarray(0, bytesRead);
    },
    recycle() {},
    [Symbol.asyncDispose]: close,
  };
}
