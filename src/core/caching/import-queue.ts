import type { CoreDependencies } from '../dependencies.ts';
import type { JobPayloads } from '../jobs/job-kinds.ts';

/** Imports that are to begin, on their way into the job queue. Disposal takes what is left there. */
export interface ImportQueue extends AsyncDisposable {
  add(image: JobPayloads['import-image']): void;
}

/**
 * So long after a manifest was asked for a client asks for its layers: the disk is left alone, so that they begin at once. Were
 * an import forgotten meanwhile, the next pull would begin it again.
 */
const PAUSE_MS = 250;

/** @param onUnrecorded is told when imports could not be put into the queue */
export function createImportQueue(
  { metadata, now }: Pick<CoreDependencies, 'metadata' | 'now'>,
  onUnrecorded: (error: unknown) => void,
): ImportQueue {
  let images: JobPayloads['import-image'][] = [];
  let timer: NodeJS.Timeout | undefined;

  const flush = async () => {
    clearTimeout(timer);
    timer = undefined;
    const added = images;
    images = [];
    if (added.length === 0) return;
    await metadata
      .transaction('own-rows', async ({ jobs }) => {
        for (const payload of added) {
          const key = `${payload.repositoryId}/${payload.digest}/${payload.tag ?? ''}`;
          await jobs.enqueue({ kind: 'import-image', key, payload }, now());
        }
      })
      .catch(onUnrecorded);
  };

  return {
    add(image) {
      images.push(image);
      timer ??= setTimeout(() => void flush(), PAUSE_MS);
    },
    [Symbol.asyncDispose]: flush,
  };
}
