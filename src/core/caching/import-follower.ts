import type { BlobReader, ByteRange, StagedFollower } from '../blob-store.ts';

/** How far an import has come; see `BlobImport`. */
export interface FollowedImport {
  readonly turn: number;
  readonly isOver: boolean;
  readonly verified: Promise<void>;
  readonly stored: Promise<void>;
  enter(position: number): ImportReader;
  recent(position: number): Uint8Array | undefined;
  more(since: number, position: number): Promise<void>;
}

/** One who reads an import, as the import knows it. */
export interface ImportReader {
  /** Told of each chunk that is read. */
  moved(position: number): void;
  leave(): void;
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
  /** Where the file is read; it is opened anew where it was not read for a while. */
  let staged: { reader: StagedFollower; position: number } | undefined;
  let stored: BlobReader | undefined;
  /** Memory of the file's reader; other readers have what came in memory, too. */
  const lent = new Set<ArrayBufferLike>();
  const reader = source.enter(first);

  const give = async (chunk: Uint8Array): Promise<Uint8Array> => {
    // A chunk that is wanted whole is given as it is: its reader knows it by that when it comes back.
    const left = last + 1 - position;
    const wanted = chunk.byteLength > left ? chunk.subarray(0, left) : chunk;
    position += wanted.byteLength;
    reader.moved(position);
    if (position === totalBytes) await source.verified;
    return wanted;
  };
  const readStaged = async (): Promise<Uint8Array | undefined> => {
    if (staged && staged.position !== position) {
      await staged.reader[Symbol.asyncDispose]();
      staged = undefined;
    }
    if (!staged) {
      const follower = await bytes.follow(position);
      staged = follower && { reader: follower, position };
    }
    const chunk = await staged?.reader.next();
    if (staged && chunk) {
      staged.position += chunk.byteLength;
      lent.add(chunk.buffer);
    }
    return chunk;
  };

  return {
    bytes: last + 1 - first,
    async next() {
      while (position <= last) {
        const { turn, isOver } = source;
        if (isOver) await source.stored;
        const chunk = stored ? await stored.next() : (source.recent(position) ?? (await readStaged()));
        if (chunk) return give(chunk);
        if (stored) return undefined;
        if (isOver) stored = await bytes.openStored({ first: position, last });
        else await source.more(turn, position);
      }
      return undefined;
    },
    recycle(chunk) {
      if (lent.delete(chunk.buffer)) staged?.reader.recycle(chunk);
      else stored?.recycle(chunk);
    },
    async [Symbol.asyncDispose]() {
      reader.leave();
      await staged?.reader[Symbol.asyncDispose]();
      await stored?.[Symbol.asyncDispose]();
    },
  };
}
