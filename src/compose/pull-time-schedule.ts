import type { PullTimes } from '../core/pull-times/pull-times.ts';

/** Records pull times every so often. Disposal records what is left; by then nobody may pull any more. */
export function schedulePullTimes(
  pullTimes: PullTimes,
  intervalSeconds: number,
  onError: (error: unknown) => void,
): AsyncDisposable {
  const flush = () => pullTimes.flush().catch(onError);
  const timer = setInterval(flush, intervalSeconds * 1000);
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await flush();
    },
  };
}
