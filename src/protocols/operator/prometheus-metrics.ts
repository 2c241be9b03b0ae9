import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricSources, Metrics } from './metrics.ts';

/** Loads the library: see deferred-metrics.ts. */
export function createPrometheusMetrics({ countJobs }: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const process = processMetrics();
  const requests = new Counter({
    name: 'gantry_http_requests_total',
    help: 'Requests answered, by face, method and status; status 0 means that the client had gone',
    labelNames: ['face', 'method', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'gantry_http_request_seconds',
    help: 'Time from the head of a request to the end of its answer',
    labelNames: ['face'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600],
    registers,
  });
  const bytes = new Counter({
    name: 'gantry_http_bytes_total',
    help: 'Bytes received (in) and sent (out)',
    labelNames: ['face', 'direction'],
    registers,
  });
  const garbageBlobs = new Counter({ name: 'gantry_garbage_blobs_total', help: 'Blobs collected', registers });
  const garbageBytes = new Counter({ name: 'gantry_garbage_bytes_total', help: 'Bytes given back', registers });
  const garbageTime = new Gauge({
    name: 'gantry_garbage_last_run_timestamp_seconds',
    help: 'When garbage collection last finished',
    registers,
  });
  const jobsEnded = new Counter({
    name: 'gantry_jobs_done_total',
    help: 'Jobs, by kind and by what came of them',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const ofKind = { labelNames: ['kind'], registers };
  const jobsWaiting = new Gauge({
    name: 'gantry_jobs_waiting',
    help: 'Jobs that wait or are being done, by kind',
    ...ofKind,
  });
  const jobsDead = new Gauge({ name: 'gantry_jobs_dead', help: 'Jobs that were given up, by kind', ...ofKind });

  return {
    observe({ path, method, status, ms, bytesIn, bytesOut }) {
      const face = faceOf(path);
      requests.inc({ face, method: METHODS.has(method) ? method : 'other', status });
      seconds.observe({ face }, ms / 1000);
      bytes.inc({ face, direction: 'in' }, bytesIn);
      bytes.inc({ face, direction: 'out' }, bytesOut);
    },
    collected(report) {
      garbageBlobs.inc(report.blobs);
      garbageBytes.inc(report.bytes);
      garbageTime.setToCurrentTime();
    },
    jobEnded(kind, outcome) {
      jobsEnded.inc({ kind, outcome });
    },
    async handler(_, response) {
      // The rest is told even while the store does not answer.
      const counts = await countJobs().catch(() => []);
      for (const gauge of [jobsWaiting, jobsDead]) gauge.reset();
      for (const { kind, waiting, dead } of counts) {
        jobsWaiting.set({ kind }, waiting);
        jobsDead.set({ kind }, dead);
      }
      const text = await Registry.merge([process, registry]).metrics();
      response.writeHead(200, { 'Content-Type': registry.contentType, 'Content-Length': Buffer.byteLength(text) });
      response.end(text);
    },
  };
}

let ofProcess: Registry | undefined;

/** Collected once for all servers of the process: the collectors cannot be taken down again. */
function processMetrics(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

/** Labels must not grow with what clients make up. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function faceOf(path: string): 'oci' | 'aws' | 'download' | 'operator' {
  if (path === '/v2' || path.startsWith('/v2/')) return 'oci';
  if (path === '/') return 'aws';
  return path.startsWith('/layers/') ? 'download' : 'operator';
}
