import type { BlobReader, ByteRange, StagedFollower } from '../blob-store.ts';

/** How far an import has come; see `BlobImport`. */
export interface FollowedImport {
  readonly turn: number;
  readonly isOver: boolean;
  readonly verified: Promise<void>;
  readonly stored: Promise<void>;
  more(since: number): Promise<void>;
}

export interface FollowedBytes {
  /** Follows the staged bytes from an offset on; undefined where there are none yet, or no more. */
  follow(offset: number): Promise<StagedFollower | undefined> | undefined;
  /** Opens a range of the blob once it is stored. */
  openStored(range: ByteRange): Promise<BlobReader>;
}

/**
 * Reads a range of a blob that is on its way, as fast as it comes. The chunk with the blob's last byte is given only when all
 * of them have the digest: a client whose connection is cut before cannot take wrong bytes for the whole.
 */
export function followImport(
  source: FollowedImport,
  bytes: FollowedBytes,
  { first, last, totalBytes }: ByteRange & { totalBytes: number },
): BlobReader {
  let position = first;
  let staged: StagedFollower | undefined;
  let stored: BlobReader | undefined;
  const take = async (reader: StagedFollower | BlobReader): Promise<Uint8Array | undefined> => {
    const chunk = await reader.next();
    if (chunk === undefined) return undefined;
    const wanted = chunk.subarray(0, last + 1 - position);
    position += wanted.byteLength;
    if (position === totalBytes) await source.verified;
    return wanted;
  };
  return {
    bytes: last + 1 - first,
    async next() {
      while (position <= last) {
        if (stored) return take(stored);
        const { turn, isOver } = source;
        if (isOver) await source.stored;
        staged ??= await bytes.follow(position);
        const chunk = staged && (await take(staged));
        if (chunk) return chunk;
        if (isOver) stored = await bytes.openStored({ first: position, last });
        else await source.more(turn);
      }
      return undefined;
    },
    recycle(chunk) {
      (stored ?? staged)?.recycle(chunk);
    },
    async [Symbol.asyncDispose]() {
      await staged?.[Symbol.asyncDispose]();
      await stored?.[Symbol.asyncDispose]();
    },
  };
}
