import type { FileHandle } from 'node:fs/promises';

/** Bytes of which any may be read at any time. */
export interface ByteSource {
  readonly bytes: number;
  /** @returns exactly so many bytes; @throws when there are fewer */
  read(offset: number, bytes: number): Promise<Buffer>;
}

export function bufferSource(buffer: Buffer): ByteSource {
  return {
    bytes: buffer.length,
    async read(offset, bytes) {
      if (offset + bytes > buffer.length) throw new RangeError(`${bytes} bytes at ${offset} are not there`);
      return buffer.subarray(offset, offset + bytes);
    },
  };
}

/** The file stays its owner's to close. */
export function fileSource(file: FileHandle, fileBytes: number): ByteSource {
  return {
    bytes: fileBytes,
    async read(offset, bytes) {
      if (offset + bytes > fileBytes) throw new RangeError(`${bytes} bytes at ${offset} are not there`);
      const piece = Buffer.allocUnsafe(bytes);
      for (let filled = 0; filled < bytes; ) {
        const { bytesRead } = await file.read(piece, filled, bytes - filled, offset + filled);
        if (bytesRead === 0) throw new RangeError(`${bytes} bytes at ${offset} are not there`);
        filled += bytesRead;
      }
      return piece;
    },
  };
}
