import { join } from 'node:path';
import type { BlobStore } from '../../src/core/blob-store.ts';
import type { RegistryEvent } from '../../src/core/events/registry-event.ts';
import { archiveBytes, restoreBytes } from '../../src/core/images/archive-bytes.ts';
import type { ImageStatus } from '../../src/core/images/image-records.ts';
import type { Images } from '../../src/core/images/images.ts';
import type { ImageIdentifier } from '../../src/core/values/image-reference.ts';
import { openFilesystemBlobStore } from '../../src/drivers/blobs/filesystem/filesystem-blob-store.ts';
import type { JobHandlers } from '../../src/jobs/job-handler.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type CoreUnderTest, call, coreUnderTest, partsOver } from './core-under-test.ts';
import { doDueJobs } from './due-jobs.ts';
import { localEncryption } from './local-encryption.ts';

export const repositoryName = 'one';

export function updateTo(
  { images }: { images: Images },
  storageClass: 'ARCHIVE' | 'STANDARD',
  imageId: ImageIdentifier,
): Promise<{ imageId: ImageIdentifier; status: ImageStatus }> {
  return images.updateStorageClass(call, { repositoryName, imageId, storageClass });
}

export async function imageOf({ images }: { images: Images }, imageDigest: string) {
  const [image] = await images.describeMany(call, { repositoryName, imageIds: [{ imageDigest }] });
  return image!;
}

export async function eventsOf({ dependencies }: Pick<CoreUnderTest, 'dependencies'>): Promise<RegistryEvent[]> {
  return (await dependencies.metadata.read.events.after(0, 1000)).map(({ event }) => event);
}

/** Core over two folders, whose jobs are done when a test says so. */
export interface ArchiveWorld extends CoreUnderTest {
  readonly folders: { readonly data: string; readonly archive: string };
  /** Does the jobs that move bytes. @returns what failed in them */
  work(): Promise<string[]>;
}

/** @param alter gives core another store in place of the one over the two folders */
export async function archiveWorld({
  hasArchive = true,
  alter = (blobs: BlobStore) => blobs,
} = {}): Promise<ArchiveWorld> {
  await using opening = new AsyncDisposableStack();
  const folder = opening.use(await temporaryFolder('gantry-archive-'));
  const folders = { data: join(folder.path, 'data'), archive: join(folder.path, 'archive') };
  const core = opening.use(await coreUnderTest());
  const options = { directory: folders.data, workers: 1, ...(hasArchive && { archiveDirectory: folders.archive }) };
  const blobs = alter(opening.use(await openFilesystemBlobStore(options)));
  const encryption = localEncryption({ ...core.dependencies, blobs });
  const dependencies = { ...core.dependencies, blobs, encryption };
  const once = { attemptsMax: 1, retrySeconds: () => 0 };
  const handlers: JobHandlers = {
    'archive-bytes': { ...once, run: (image, { signal }) => archiveBytes(dependencies, image, signal) },
    'restore-image': { ...once, run: (image, { signal }) => restoreBytes(dependencies, image, signal) },
  };
  const opened = opening.move();
  return {
    ...partsOver(dependencies),
    dependencies,
    folders,
    pass: core.pass,
    async work() {
      const ended = await doDueJobs({ dependencies }, handlers);
      return ended.flatMap((job) => ('error' in job ? [String(job.error)] : []));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
