import { openFilesystemBlobStore } from '../../../src/drivers/blobs/filesystem/filesystem-blob-store.ts';

/** Moves blobs to the archive and back until it is killed. Arguments: the two folders, then locations. */
const [directory = '', archiveDirectory = '', ...locations] = process.argv.slice(2);
const store = await openFilesystemBlobStore({ directory, archiveDirectory, workers: 1 });
process.send?.('moving');
await Promise.all(
  locations.map(async (location) => {
    for (;;) {
      await store.archive?.(location);
      await store.restore?.(location);
    }
  }),
);
