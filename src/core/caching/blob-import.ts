import type { BlobAppender, BlobReader, ByteRange, KeptBytes } from '../blob-store.ts';
import { algorithmOf, type Digest } from '../values/digest.ts';
import { type FollowedImport, followImport, type ImportReader } from './import-follower.ts';
import { ImportPace } from './import-pace.ts';
import { RecentBytes } from './recent-bytes.ts';

/** A blob on its way here: fetched once, however many clients read it meanwhile. */
export class BlobImport implements FollowedImport {
  readonly uploadId: string;
  readonly digest: Digest;
  /** Resolves when the upstream has begun to send, with the length of the blob. */
  readonly begun: Promise<number>;
  /** Resolves when all bytes have come and have the digest. */
  readonly verified: Promise<void>;
  /** Resolves when the blob is a layer of the repository. */
  readonly stored: Promise<void>;
  readonly #begun = Promise.withResolvers<number>();
  readonly #verified = Promise.withResolvers<void>();
  readonly #stored = Promise.withResolvers<void>();
  /** Known when bytes begin to come. */
  #kept: KeptBytes | undefined;
  #appender: BlobAppender | undefined;
  /** Exists while somebody has read all that can be read. */
  #waiting: PromiseWithResolvers<void> | undefined;
  readonly #recent = new RecentBytes();
  readonly #pace = new ImportPace(this.#recent);
  #isFlushing = false;
  #isOver = false;
  #turn = 0;

  constructor(uploadId: string, digest: Digest) {
    this.uploadId = uploadId;
    this.digest = digest;
    this.begun = handled(this.#begun.promise);
    this.verified = handled(this.#verified.promise);
    this.stored = handled(this.#stored.promise);
  }

  /** Whether all has gone well, or something has not. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Reads the blob as it comes; the whole of it, or a range. The caller disposes of the reader. */
  follow(totalBytes: number, { first, last }: ByteRange, openStored: (range: ByteRange) => Promise<BlobReader>) {
    const follow = (offset: number) => this.#kept?.followStaged?.(this.uploadId, offset);
    return followImport(this, { follow, openStored }, { first, last, totalBytes });
  }

  /** Rises each time there may be more to read. */
  get turn(): number {
    return this.#turn;
  }

  /** Counts a reader in, until it says that it leaves: what comes is kept in memory for a moment then. */
  enter(position: number): ImportReader {
    const reader = this.#pace.enter(position);
    return {
      moved: reader.moved,
      leave: () => {
        reader.leave();
        if (!this.#pace.hasReaders) this.#recent.clear();
      },
    };
  }

  /** What has just come, from a position on; undefined when that is not, or no longer, in memory. Nobody may change it. */
  recent(position: number): Uint8Array | undefined {
    return this.#recent.from(position);
  }

  /** Resolves when there may be more to read than there was at a turn, for who has read up to a position. */
  more(since: number, position: number): Promise<void> {
    if (this.#isOver || this.#turn !== since) return Promise.resolve();
    this.#waiting ??= Promise.withResolvers();
    // It has come already, and is on its way to the disk.
    if (position < this.#recent.end) this.#flush();
    return this.#waiting.promise;
  }

  /** Takes all bytes of a source to the store, and verifies them. The caller disposes of the source. */
  async receive(source: BlobReader, kept: KeptBytes): Promise<void> {
    this.#kept = kept;
    const isFollowed = kept.followStaged !== undefined;
    const keptBytesMax = isFollowed ? FOLLOWED_BYTES_KEPT : ALONE_BYTES_KEPT;
    const appender = await kept.appender(this.uploadId, 0);
    this.#appender = appender;
    this.#begun.resolve(source.bytes);
    try {
      for (let chunk = await source.next(); chunk !== undefined; chunk = await source.next()) {
        this.#recent.add(chunk, this.#pace.hasReaders ? keptBytesMax : 0);
        if (this.#waiting) this.#wake();
        if (!appender.write(chunk)) await appender.drained();
        if (!isFollowed) await this.#pace.wait(keptBytesMax / 2);
      }
    } finally {
      this.#appender = undefined;
      await appender.close(false);
    }
    this.#wake();
    const actual = await kept.digest(this.uploadId, algorithmOf(this.digest));
    if (actual !== this.digest) throw new LyingUpstreamError(actual);
    this.#verified.resolve();
    this.#wake();
  }

  succeed(): void {
    this.#isOver = true;
    this.#stored.resolve();
    this.#wake();
  }

  fail(error: unknown): void {
    this.#isOver = true;
    for (const each of [this.#begun, this.#verified, this.#stored]) each.reject(error);
    this.#wake();
  }

  #flush(): void {
    if (this.#isFlushing || this.#appender?.flush === undefined) return;
    this.#isFlushing = true;
    this.#appender.flush().then(
      () => {
        this.#isFlushing = false;
        this.#wake();
      },
      // Closing rejects with the same.
      () => {},
    );
  }

  #wake(): void {
    this.#turn += 1;
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}

/** Of each import that somebody reads. Who is slower reads what is staged. */
const FOLLOWED_BYTES_KEPT = 1024 * 1024;
/** The same where what is staged cannot be read: who is slower waits until all is stored. */
const ALONE_BYTES_KEPT = 8 * 1024 * 1024;

/** The bytes that came do not have the digest they were asked by. */
export class LyingUpstreamError extends Error {
  constructor(actual: Digest) {
    super(`the bytes that came have the digest ${actual}`);
    this.name = 'LyingUpstreamError';
  }
}

/** A failure that nobody waits for must not end the process. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
