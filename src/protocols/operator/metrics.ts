import type { Handler } from '../../http/handler.ts';
import type { FinishedRequest } from '../../http/server.ts';

export interface Metrics {
  observe(request: FinishedRequest): void;
  /** After a run of garbage collection. */
  collected(report: { readonly blobs: number; readonly bytes: number }): void;
  jobEnded(kind: string, outcome: string): void;
  /** `GET /metrics` in Prometheus' text format. */
  readonly handler: Handler;
}

/** What is looked up when the metrics are asked for. */
export interface MetricSources {
  countJobs(): Promise<{ readonly kind: string; readonly waiting: number; readonly dead: number }[]>;
}
