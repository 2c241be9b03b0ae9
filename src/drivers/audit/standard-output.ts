import { write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const writeBytes = promisify(write);
const STANDARD_OUTPUT = 1;
const FULL_PIPE_MS = 20;

/**
 * Not `process.stdout`: on a pipe that is synchronous, and a reader that dawdles would hold up every request. So a thread of the
 * pool waits in its place.
 */
export async function appendToStandardOutput(lines: readonly string[]): Promise<void> {
  let rest = Buffer.from(lines.join(''));
  while (rest.length > 0) {
    try {
      const { bytesWritten } = await writeBytes(STANDARD_OUTPUT, rest);
      rest = rest.subarray(bytesWritten);
    } catch (error) {
      // A pipe that somebody made non-blocking and that is full.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await sleep(FULL_PIPE_MS);
    }
  }
}
