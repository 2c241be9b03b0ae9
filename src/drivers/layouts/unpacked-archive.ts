import { createReadStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { TransferError } from '../../core/transfer/transfer.ts';

/** Images do not shrink to less; what does is made to fill disks. */
const RATIO_MAX = 100;
const BYTES_ALWAYS_ALLOWED = 64 * 1024 * 1024;

/**
 * The tar archive itself, or a temporary copy of what a compressed one holds: gzip can only be read from its beginning.
 * @returns a handle to be closed with `close`, which takes the copy away
 */
export async function plainTar(
  file: string,
  handle: FileHandle,
): Promise<{ readonly handle: FileHandle; close(): Promise<void> }> {
  const found = await handle.stat();
  if (!found.isFile()) throw new TransferError('invalid', `${file} is no file`);
  const magic = Buffer.alloc(4);
  await handle.read(magic, 0, 4, 0);
  if (isZstd(magic)) throw new TransferError('invalid', `${file} is compressed with zstd; unpack it first (zstd -d)`);
  if (!isGzip(magic)) return { handle, close: async () => {} };
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'gantry-archive-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const unpacked = opening.use(await open(join(folder, 'archive.tar'), 'w+', 0o600));
  await unpack(file, unpacked, Math.max(BYTES_ALWAYS_ALLOWED, found.size * RATIO_MAX));
  const opened = opening.move();
  return { handle: unpacked, close: () => opened.disposeAsync() };
}

export function isGzip(magic: Uint8Array): boolean {
  return magic[0] === 0x1f && magic[1] === 0x8b;
}

/** RFC 8878, 3.1.1. */
export function isZstd(magic: Uint8Array): boolean {
  return magic[0] === 0x28 && magic[1] === 0xb5 && magic[2] === 0x2f && magic[3] === 0xfd;
}

async function unpack(file: string, into: FileHandle, bytesMax: number): Promise<void> {
  try {
    await pipeline(createReadStream(file), createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
      let bytes = 0;
      for await (const chunk of chunks) {
        bytes += chunk.byteLength;
        if (bytes > bytesMax) throw new TransferError('invalid', `${file} unpacks to more than ${bytesMax} bytes`);
        await into.appendFile(chunk);
      }
    });
  } catch (error) {
    const { code } = error as { code?: string };
    if (error instanceof TransferError || !code?.startsWith('Z_')) throw error;
    throw new TransferError('invalid', `${file} is damaged: it cannot be unpacked`, { cause: error });
  }
}
