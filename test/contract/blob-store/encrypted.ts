import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { BlobStore, KeptBytes } from '../../../src/core/blob-store.ts';
import type { BlobStoreDriver } from './driver.ts';

/** The same driver, every byte of it encrypted: whatever holds for plain bytes holds for these. */
export function encrypted(driver: BlobStoreDriver): BlobStoreDriver {
  return {
    name: `${driver.name}, encrypted`,
    async open() {
      const opened = await driver.open();
      const { reopen } = opened;
      const dataKey = randomBytes(32);
      const again = (store: BlobStore) => keptStore(store, () => keptUnder(store, dataKey));
      return {
        store: again(opened.store),
        ...(reopen && { reopen: async () => again(await reopen()) }),
        [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
      };
    },
  };
}

/** What a store keeps under a data key. */
export function keptUnder(store: BlobStore, dataKey: Uint8Array): KeptBytes {
  const { encrypting } = store;
  assert.equal(encrypting?.by, 'data-keys');
  return encrypting.under(dataKey);
}

/** A new view for each call, as core takes one for each request. */
export function keptStore(store: BlobStore, kept: () => KeptBytes): BlobStore {
  return {
    appender: (uploadId, offset) => kept().appender(uploadId, offset),
    stagedBytes: (uploadId) => kept().stagedBytes(uploadId),
    digest: (uploadId, algorithm) => kept().digest(uploadId, algorithm),
    seal: (uploadId, digest, bytes) => kept().seal(uploadId, digest, bytes),
    // One view tells whether there is such a thing: an S3 store's has none.
    ...('followStaged' in kept() && {
      followStaged: async (uploadId: string, offset: number) => kept().followStaged?.(uploadId, offset),
    }),
    truncate: (uploadId, bytes) => kept().truncate(uploadId, bytes),
    stat: (location) => kept().stat(location),
    read: (location, range) => kept().read(location, range),
    discard: (uploadId) => store.discard(uploadId),
    staged: () => store.staged(),
    delete: (location) => store.delete(location),
    list: () => store.list(),
    ...(store.archive && { archive: (location) => store.archive!(location) }),
    ...(store.restore && { restore: (location) => store.restore!(location) }),
    ready: () => store.ready(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
