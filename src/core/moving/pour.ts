import type { BlobReader, KeptBytes, StagedFollower } from '../blob-store.ts';

/** Bytes cannot be read where they are; what takes them is in order. */
export class SourceReadError extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'SourceReadError';
  }
}

/**
 * Stages all that a reader gives as one upload that has no bytes yet, durably.
 *
 * @param onBytes told of each chunk
 * @returns how many bytes are staged
 */
export async function pour(
  reader: Pick<BlobReader | StagedFollower, 'next' | 'recycle'>,
  target: KeptBytes,
  uploadId: string,
  { signal, onBytes }: { readonly signal: AbortSignal; readonly onBytes?: (bytes: number) => void },
): Promise<number> {
  const appender = await target.appender(uploadId, 0);
  try {
    for (;;) {
      signal.throwIfAborted();
      const chunk = await reader.next().catch((error: unknown) => {
        throw new SourceReadError(error);
      });
      if (chunk === undefined) break;
      // The reader wants its chunk back, and the appender keeps what it is given.
      const own = Uint8Array.from(chunk);
      reader.recycle(chunk);
      if (!appender.write(own)) await appender.drained();
      onBytes?.(own.byteLength);
    }
  } catch (error) {
    await appender.close(false).catch(() => {});
    throw error;
  }
  return appender.close(true);
}
