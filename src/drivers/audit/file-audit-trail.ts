import { randomUUID } from 'node:crypto';
import type { AuditTrail } from '../../core/audit/audit-trail.ts';
import { toCloudTrailRecord } from '../../core/audit/cloudtrail-record.ts';
import { createRotatingFile } from './rotating-file.ts';
import { appendToStandardOutput } from './standard-output.ts';

export interface FileAuditTrailOptions {
  /** A path, or `stdout`. */
  readonly file: string;
  readonly bytesMax: number;
  /** The present file and those set aside. */
  readonly filesMax: number;
  /** Told once for every stretch in which the trail could not be written. */
  readonly onError?: (error: unknown) => void;
}

const FLUSH_MS = 1000;
/** So much waits no second. */
const FLUSH_BYTES = 256 * 1024;
/** What may wait while the trail cannot be written; beyond it entries are counted and not kept. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Writes one JSON line an entry, at most a second late; disposal writes what waits. Requests never wait for it: while the
 * place cannot be written a bounded number of entries waits, and a line tells how many were lost beyond that.
 */
export function createFileAuditTrail(options: FileAuditTrailOptions): AuditTrail & AsyncDisposable {
  const append = options.file === 'stdout' ? appendToStandardOutput : createRotatingFile(options.file, options);
  let waiting: string[] = [];
  let waitingBytes = 0;
  let lost = 0;
  let isFailing = false;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;

  const write = async () => {
    const lines = waiting;
    const bytes = waitingBytes;
    const lostBefore = lost;
    waiting = [];
    waitingBytes = 0;
    lost = 0;
    try {
      await append(lostBefore === 0 ? lines : [...lines, lostLine(lostBefore)]);
      isFailing = false;
    } catch (error) {
      waiting = [...lines, ...waiting];
      waitingBytes += bytes;
      lost += lostBefore;
      if (!isFailing) options.onError?.(error);
      isFailing = true;
    }
  };

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing ??= write().finally(() => {
      writing = undefined;
      if (waiting.length > 0) flushLater();
    });
    return writing;
  };

  const flushLater = () => {
    timer ??= setTimeout(flush, FLUSH_MS).unref();
  };

  return {
    record(entry) {
      if (waitingBytes >= WAITING_BYTES_MAX) {
        lost += 1;
        return;
      }
      try {
        const line = `${JSON.stringify(toCloudTrailRecord(entry, randomUUID()))}\n`;
        waiting.push(line);
        waitingBytes += line.length;
      } catch (error) {
        lost += 1;
        options.onError?.(error);
        return;
      }
      if (waitingBytes >= FLUSH_BYTES && !isFailing && writing === undefined) flush();
      else flushLater();
    },

    async [Symbol.asyncDispose]() {
      await writing;
      if (waiting.length > 0) await flush();
      clearTimeout(timer);
    },
  };
}

/** In no shape of CloudTrail's: readers that look for events pass over it. */
function lostLine(count: number): string {
  return `${JSON.stringify({ eventTime: new Date().toISOString(), gantryLostEntries: count })}\n`;
}
