import { rm, stat } from 'node:fs/promises';
import type { BlobLocation, BlobReader, ByteRange, SealedBlob } from '../../../core/blob-store.ts';
import type { BufferPool } from './buffer-pool.ts';
import { sealedBytesAt } from './encrypted/sealed-layout.ts';
import { listSealed } from './listing.ts';
import { moveSealed, type Tier } from './move-sealed.ts';
import { type OpenContent, openSealed, plainContent } from './sealed-reader.ts';
import { unlessMissing, withStorageErrors } from './storage-errors.ts';

/**
 * Sealed bytes in two folders: the store's own, and an archive whose disk may be slower and cheaper. A location is the same
 * in both. Bytes are in one of them, and in both for the moment between the two halves of a move, so a reader looks into
 * the first, then the second, and then the first again, in case they were moved while it looked.
 */
export class SealedTiers {
  readonly #primary: Tier;
  readonly #archive: Tier;
  readonly #buffers: BufferPool;
  /** What changes a location last, for each that is being changed. */
  readonly #changes = new Map<BlobLocation, Promise<unknown>>();

  constructor(primary: Tier, archive: Tier, buffers: BufferPool) {
    this.#primary = primary;
    this.#archive = archive;
    this.#buffers = buffers;
  }

  async stat(location: BlobLocation): Promise<{ readonly bytes: number } | undefined> {
    for (const { paths } of this.#lookedInto()) {
      const facts = await unlessMissing(stat(paths.sealed(location)));
      if (facts !== undefined) return { bytes: sealedBytesAt(location, facts.size) };
    }
    return undefined;
  }

  async read(
    location: BlobLocation,
    range?: ByteRange,
    openContent: OpenContent = plainContent,
  ): Promise<BlobReader | undefined> {
    for (const { paths } of this.#lookedInto()) {
      const reader = await openSealed(paths.sealed(location), this.#buffers, range, openContent);
      if (reader !== undefined) return reader;
    }
    return undefined;
  }

  delete(location: BlobLocation): Promise<void> {
    return this.#oneAfterTheOther(location, async () => {
      for (const { paths } of [this.#primary, this.#archive]) {
        await unlessMissing(rm(paths.sealed(location)));
      }
    });
  }

  /** Those of the store's own folder first. Bytes that lie in both are listed once. */
  async *list(): AsyncGenerator<SealedBlob> {
    yield* listSealed(this.#primary.paths);
    for await (const blob of listSealed(this.#archive.paths)) {
      const other = await unlessMissing(stat(this.#primary.paths.sealed(blob.location)));
      if (other === undefined) yield blob;
    }
  }

  /** See `BlobStore.archive`. */
  archive(location: BlobLocation): Promise<boolean> {
    return this.#move(location, this.#primary, this.#archive);
  }

  /** See `BlobStore.restore`. */
  restore(location: BlobLocation): Promise<boolean> {
    return this.#move(location, this.#archive, this.#primary);
  }

  #move(location: BlobLocation, from: Tier, to: Tier): Promise<boolean> {
    return this.#oneAfterTheOther(location, () => withStorageErrors(() => moveSealed(location, from, to)));
  }

  #lookedInto(): readonly Tier[] {
    return [this.#primary, this.#archive, this.#primary];
  }

  /** Two moves of the same bytes in opposite directions would each delete what the other has just made. */
  async #oneAfterTheOther<T>(location: BlobLocation, work: () => Promise<T>): Promise<T> {
    const earlier = this.#changes.get(location);
    const change = (earlier ?? Promise.resolve()).then(work, work);
    this.#changes.set(location, change);
    try {
      return await change;
    } finally {
      if (this.#changes.get(location) === change) this.#changes.delete(location);
    }
  }
}
