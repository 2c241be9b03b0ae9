import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TransferBlob, TransferError } from '../../core/transfer/transfer.ts';
import { algorithmOf, hexOf } from '../../core/values/digest.ts';
import { blobPath } from './layout-blobs.ts';

/** Writes a file that is there with all its bytes, or not at all. */
export async function writeWholeFile(file: string, content: Uint8Array): Promise<void> {
  await writeThenName(file, async (write) => write(content));
}

/** Likewise a blob of a layout; rejects with TransferError when its bytes have another digest. */
export async function writeWholeBlob(root: string, blob: TransferBlob, signal?: AbortSignal): Promise<void> {
  await writeThenName(join(root, blobPath(blob.digest)), (write) => pumpVerified(blob, write, signal));
}

type Write = (chunk: Uint8Array) => Promise<void>;

/** Reads a blob to its end; rejects with TransferError when the bytes are not what the digest says. */
export async function pumpVerified(blob: TransferBlob, write: Write, signal?: AbortSignal): Promise<void> {
  const { digest, bytes, handsOver } = blob;
  const hash = createHash(algorithmOf(digest));
  let left = bytes;
  if (bytes > 0) {
    await using reader = await blob.read({ first: 0, last: bytes - 1 });
    for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
      signal?.throwIfAborted();
      left -= chunk.byteLength;
      if (left < 0) break;
      hash.update(chunk);
      await write(chunk);
      if (!handsOver) reader.recycle(chunk);
    }
  }
  if (left === 0 && hash.digest('hex') === hexOf(digest)) return;
  throw new TransferError('invalid', `The bytes of the blob ${digest} have another digest`);
}

async function writeThenName(file: string, fill: (write: Write) => Promise<void>): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomUUID()}.part`;
  try {
    const handle = await open(draft, 'wx', 0o644);
    try {
      await fill((chunk) => handle.appendFile(chunk));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
