import type { Caching } from '../core/caching/caching.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import type { EventDelivery } from '../core/events/event-delivery.ts';
import { collectGarbage, type GarbageReport } from '../core/garbage/collect-garbage.ts';
import { archiveBytes, restoreBytes } from '../core/images/archive-bytes.ts';
import { followSubject } from '../core/images/follow-subject.ts';
import type { LifecycleReport } from '../core/lifecycle/apply-lifecycle.ts';
import type { Destinations } from '../core/replication/destinations.ts';
import type { ScanEngine } from '../core/scanning/scan-engine.ts';
import type { ReadImage } from '../core/scanning/scan-image.ts';
import type { SigningSettings } from '../core/signing/sign-image.ts';
import { importImageJob, refreshTagJob } from './cache-jobs.ts';
import { deliverEvent } from './deliver-event.ts';
import type { JobHandler, JobHandlers } from './job-handler.ts';
import { applyLifecycleJob, previewLifecycleJob, startLifecycleJob } from './lifecycle-jobs.ts';
import { replicateImageJob, runBackfillJob } from './replication-jobs.ts';
import { followScanningJob, matchImagesJob, scanImageJob } from './scan-jobs.ts';
import { signImageJob } from './signing-jobs.ts';

export interface JobHandlerParts {
  readonly events: EventDelivery;
  readonly destinations: Destinations;
  readonly caching: Pick<Caching, 'importImage' | 'refreshTag' | 'forget'>;
  readonly engine: ScanEngine;
  readonly signing: SigningSettings;
  /** With an image whose layers were read. */
  readonly onRead: ((image: ReadImage) => Promise<void>) | undefined;
  /** After images were matched again. */
  readonly onMatched: (images: number) => void;
  /** After a run of garbage collection. */
  readonly onCollected: (report: GarbageReport) => void;
  /** After a lifecycle policy was applied. */
  readonly onLifecycleApplied: (report: LifecycleReport) => void;
}

/** Who does what: every kind of job with its core call. */
export function createJobHandlers(
  dependencies: CoreDependencies,
  {
    events,
    destinations,
    caching,
    engine,
    signing,
    onRead,
    onMatched,
    onCollected,
    onLifecycleApplied,
  }: JobHandlerParts,
): Required<JobHandlers> {
  return {
    'follow-subject': {
      ...RETRIED_WITHOUT_END,
      run: (following, { signal }) => followSubject(dependencies, following, signal),
    },
    'deliver-event': deliverEvent(events),
    'replicate-image': replicateImageJob(dependencies, destinations),
    'run-backfill': runBackfillJob(dependencies, destinations),
    'import-image': importImageJob(caching),
    'refresh-cached-tag': refreshTagJob(caching),
    'scan-image': scanImageJob(dependencies, engine, onRead),
    'match-images': matchImagesJob(dependencies, engine, onMatched),
    'follow-scanning': followScanningJob(dependencies),
    'sign-image': signImageJob(dependencies, signing),
    'start-lifecycle': startLifecycleJob(dependencies),
    'apply-lifecycle': applyLifecycleJob(dependencies, onLifecycleApplied),
    'preview-lifecycle': previewLifecycleJob(dependencies),
    'archive-bytes': { ...RETRIED, run: (image, { signal }) => archiveBytes(dependencies, image, signal) },
    'restore-image': { ...RETRIED_WITHOUT_END, run: (image, { signal }) => restoreBytes(dependencies, image, signal) },
    'collect-garbage': {
      ...RETRIED,
      async run(_, { signal }) {
        onCollected(await collectGarbage(dependencies, { signal }));
      },
    },
  };
}

/** What fails for reasons of our own, such as a full disk: for about half an hour. */
const RETRIED: Pick<JobHandler<never>, 'attemptsMax' | 'retrySeconds'> = {
  attemptsMax: 10,
  retrySeconds: (attempts) => Math.min(2 ** attempts, 600),
};

/** Never given up: referrers would outlive their subject, and an image be called activating, for good. */
const RETRIED_WITHOUT_END = { ...RETRIED, attemptsMax: Number.POSITIVE_INFINITY };
