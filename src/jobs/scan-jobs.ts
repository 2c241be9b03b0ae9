import type { CoreDependencies } from '../core/dependencies.ts';
import { followScanning } from '../core/scanning/follow-scanning.ts';
import { matchImages } from '../core/scanning/match-images.ts';
import type { ScanEngine } from '../core/scanning/scan-engine.ts';
import { failScan, type ReadImage, scanImage } from '../core/scanning/scan-image.ts';
import type { JobHandler } from './job-handler.ts';

/** Somebody waits for it: what does not come to be within half an hour has failed, and says so. */
const ATTEMPTS_MAX = 10;

const RETRIED: Pick<JobHandler<never>, 'attemptsMax' | 'retrySeconds'> = {
  attemptsMax: ATTEMPTS_MAX,
  retrySeconds: (attempts) => Math.min(2 ** attempts, 600),
};

/** @param onRead what else is to be done with an image whose layers were read */
export function scanImageJob(
  dependencies: CoreDependencies,
  engine: ScanEngine,
  onRead?: (image: ReadImage) => Promise<void>,
): JobHandler<'scan-image'> {
  return {
    ...RETRIED,
    // A large image holds up no small one.
    atOnceMax: 2,
    async run(wanted, { signal, attempts }) {
      try {
        await scanImage(dependencies, engine, wanted, { signal, ...(onRead && { onRead }) });
      } catch (error) {
        if (attempts >= ATTEMPTS_MAX && !signal.aborted) await failScan(dependencies, wanted, error);
        throw error;
      }
    },
  };
}

/** @param onMatched told of runs that came to an end with images matched */
export function matchImagesJob(
  dependencies: CoreDependencies,
  engine: ScanEngine,
  onMatched: (images: number) => void,
): JobHandler<'match-images'> {
  return {
    ...RETRIED,
    async run(_, { signal }) {
      const images = await matchImages(dependencies, engine, { signal });
      if (images > 0) onMatched(images);
    },
  };
}

export function followScanningJob(dependencies: CoreDependencies): JobHandler<'follow-scanning'> {
  return { ...RETRIED, run: (change, { signal }) => followScanning(dependencies, change, { signal }) };
}
