import type { CoreDependencies } from '../core/dependencies.ts';
import type { JobHandlers } from './job-handler.ts';

/** Who does what: every kind of job with its core call. */
export function createJobHandlers(_dependencies: CoreDependencies): JobHandlers {
  return {};
}
