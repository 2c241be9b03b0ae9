import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Job, Outcome } from './load/generate.ts';
import { cpuSeconds, peakMib, resetPeak } from './process-meter.ts';

const run = promisify(execFile);
const jobSeconds = 600;
const megabyte = 1_000_000;

export interface Sample {
  /** In the scenario's unit. */
  readonly value: number;
  readonly cpuSecondsPerGb?: number;
  readonly peakMib?: number;
}

/** Runs a job against a server and measures what it costs the server. */
export async function sample(
  pid: number,
  value: 'megabytes' | 'perSecond' | 'highestMs' | 'cpuMicroseconds',
  job: Job,
): Promise<Sample> {
  // What earlier rounds left to write must not slow this one down.
  await run('sync');
  resetPeak(pid);
  const cpuBefore = cpuSeconds(pid);
  const outcome = await perform(job);
  const cpu = cpuSeconds(pid) - cpuBefore;
  const peak = peakMib(pid);
  switch (value) {
    case 'megabytes':
      return {
        value: outcome.bytes / megabyte / outcome.seconds,
        cpuSecondsPerGb: cpu / (outcome.bytes / (1000 * megabyte)),
        peakMib: peak,
      };
    case 'perSecond':
      return { value: outcome.operations / outcome.seconds, peakMib: peak };
    case 'cpuMicroseconds':
      return { value: (cpu * 1e6) / outcome.operations, peakMib: peak };
    case 'highestMs':
      return { value: outcome.highestMs ?? Number.NaN, peakMib: peak };
  }
}

/** Runs a job in a process of its own. */
export async function perform(job: Job): Promise<Outcome> {
  const program = join(import.meta.dirname, 'load', 'generate.ts');
  const options = { timeout: jobSeconds * 1000, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await run(process.execPath, [program, JSON.stringify(job)], options);
  return JSON.parse(stdout);
}
