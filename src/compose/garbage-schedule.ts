import type { CoreDependencies } from '../core/dependencies.ts';
import { collectGarbage, type GarbageReport } from '../core/garbage/collect-garbage.ts';
import type { Log } from '../log.ts';

/**
 * Collects garbage every so often, one run at a time. Disposal ends a run between two of its steps.
 * @param intervalSeconds 0 for never
 */
export function scheduleGarbage(
  intervalSeconds: number,
  dependencies: CoreDependencies,
  onCollected: (report: GarbageReport) => void,
  log: Log,
): AsyncDisposable {
  if (intervalSeconds === 0) return { [Symbol.asyncDispose]: async () => {} };
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  const finished = (report: GarbageReport) => {
    onCollected(report);
    log.info({ ...report }, 'garbage collected');
  };
  const failed = (error: unknown) => {
    if (!stop.signal.aborted) log.error({ err: error }, 'garbage collection failed');
  };
  const timer = setInterval(() => {
    running ??= collectGarbage(dependencies, { signal: stop.signal })
      .then(finished, failed)
      .finally(() => {
        running = undefined;
      });
  }, intervalSeconds * 1000);
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      stop.abort();
      await running;
    },
  };
}
