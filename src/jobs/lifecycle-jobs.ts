import type { CoreDependencies } from '../core/dependencies.ts';
import { applyLifecycle, type LifecycleReport } from '../core/lifecycle/apply-lifecycle.ts';
import { failPreview, previewLifecycle } from '../core/lifecycle/preview-lifecycle.ts';
import { startLifecycle } from '../core/lifecycle/start-lifecycle.ts';
import type { JobHandler } from './job-handler.ts';

/** The hour brings the next run anyway. */
const ATTEMPTS_MAX = 5;

const RETRIED: Pick<JobHandler<never>, 'attemptsMax' | 'retrySeconds'> = {
  attemptsMax: ATTEMPTS_MAX,
  retrySeconds: (attempts) => Math.min(2 ** attempts, 600),
};

export function startLifecycleJob(dependencies: CoreDependencies): JobHandler<'start-lifecycle'> {
  return {
    ...RETRIED,
    async run(_, { signal }) {
      await startLifecycle(dependencies, { signal });
    },
  };
}

/** @param onApplied told of runs that came to an end */
export function applyLifecycleJob(
  dependencies: CoreDependencies,
  onApplied: (report: LifecycleReport) => void,
): JobHandler<'apply-lifecycle'> {
  return {
    ...RETRIED,
    async run({ repositoryId }, { signal }) {
      const report = await applyLifecycle(dependencies, repositoryId, { signal });
      if (report) onApplied(report);
    },
  };
}

/** A preview that cannot be made says so to whoever waits for it. */
export function previewLifecycleJob(dependencies: CoreDependencies): JobHandler<'preview-lifecycle'> {
  return {
    ...RETRIED,
    atOnceMax: 2,
    async run(preview, { signal, attempts }) {
      try {
        await previewLifecycle(dependencies, preview, { signal });
      } catch (error) {
        if (attempts >= ATTEMPTS_MAX && !signal.aborted) await failPreview(dependencies, preview);
        throw error;
      }
    },
  };
}
