import type { MetricSources, Metrics } from './metrics.ts';

/** The library is loaded when there is something to count: it would be a tenth of the time to the first answer. */
export function createMetrics(sources: MetricSources): Metrics {
  let loaded: Metrics | undefined;
  let loading: Promise<Metrics> | undefined;
  const load = async (): Promise<Metrics> => {
    const { createPrometheusMetrics } = await import('./prometheus-metrics.ts');
    loaded = createPrometheusMetrics(sources);
    return loaded;
  };
  const metrics = (): Promise<Metrics> => {
    loading ??= load().catch((error) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const count = (what: (metrics: Metrics) => void): void => {
    if (loaded !== undefined) what(loaded);
    // Where the library cannot be loaded, such as for want of descriptors, less is counted until it can.
    else metrics().then(what, () => {});
  };
  return {
    observe: (request) => count((counted) => counted.observe(request)),
    collected: (report) => count((counted) => counted.collected(report)),
    jobEnded: (kind, outcome) => count((counted) => counted.jobEnded(kind, outcome)),
    handler: async (request, response) => (await metrics()).handler(request, response),
  };
}
