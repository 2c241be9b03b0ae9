import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFilesystemBlobStore } from '../../src/drivers/blobs/filesystem/filesystem-blob-store.ts';
import { createMemoryBlobStore } from '../../src/drivers/blobs/memory/memory-blob-store.ts';
import { describeArchiving } from './blob-store/archiving.ts';
import type { BlobStoreDriver } from './blob-store/driver.ts';
import { encrypted } from './blob-store/encrypted.ts';
import { describeEncrypting } from './blob-store/encrypting.ts';
import { describeFollowing } from './blob-store/following.ts';
import { describeReading } from './blob-store/reading.ts';
import { describeSealing } from './blob-store/sealing.ts';
import { describeStaging } from './blob-store/staging.ts';

const filesystem: BlobStoreDriver = {
  name: 'filesystem',
  async open() {
    const directory = await mkdtemp(join(tmpdir(), 'gantry-blobs-'));
    const store = await openFilesystemBlobStore({ directory, workers: 2 });
    return {
      store,
      reopen: () => openFilesystemBlobStore({ directory, workers: 1 }),
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        await rm(directory, { recursive: true });
      },
    };
  },
};

const filesystemWithArchive: BlobStoreDriver = {
  name: 'filesystem with an archive',
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'gantry-blobs-'));
    const options = { directory: join(folder, 'data'), archiveDirectory: join(folder, 'archive') };
    const store = await openFilesystemBlobStore({ ...options, workers: 1 });
    return {
      store,
      reopen: () => openFilesystemBlobStore({ ...options, workers: 1 }),
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        await rm(folder, { recursive: true });
      },
    };
  },
};

const memory: BlobStoreDriver = {
  name: 'memory',
  async open() {
    const store = createMemoryBlobStore();
    return { store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  },
};

const encryptedFilesystem = encrypted(filesystem);
const encryptedFilesystemWithArchive = encrypted(filesystemWithArchive);
const encryptedMemory = encrypted(memory);

for (const driver of [filesystem, filesystemWithArchive, memory]) {
  describeStaging(driver);
  describeSealing(driver);
  describeReading(driver);
  describeFollowing(driver);
}
describeArchiving(filesystemWithArchive);

for (const driver of [encryptedFilesystem, encryptedFilesystemWithArchive, encryptedMemory]) {
  describeStaging(driver);
  describeSealing(driver);
  describeReading(driver);
  describeFollowing(driver);
}
describeArchiving(encryptedFilesystemWithArchive);
for (const driver of [filesystem, filesystemWithArchive, memory]) describeEncrypting(driver);
