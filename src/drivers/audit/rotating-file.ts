import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { AppendLines } from './append-lines.ts';

/**
 * FILE        lines are appended here
 * FILE.1      the one before it, set aside when the next line would have made it larger than `bytesMax`
 * FILE.2 …    older ones, up to `filesMax` with FILE itself
 *
 * The file is opened for each write, so that another program may move it away at any time.
 */
export function createRotatingFile(
  file: string,
  { bytesMax, filesMax }: { bytesMax: number; filesMax: number },
): AppendLines {
  const path = resolve(file);
  let isTorn = false;
  return async (lines) => {
    // A write that failed may have left half a line: end it, or the next one would be spoilt too.
    let rest = isTorn ? ['\n', ...lines] : lines;
    isTorn = true;
    while (rest.length > 0) {
      const { count, isFull } = await appendWhatFits(path, rest, bytesMax);
      rest = rest.slice(count);
      if (isFull) await setAside(path, filesMax);
    }
    isTorn = false;
  };
}

/** A line that is larger than a whole file gets one of its own. */
async function appendWhatFits(
  path: string,
  lines: readonly string[],
  bytesMax: number,
): Promise<{ count: number; isFull: boolean }> {
  await using handle = await openForAppending(path);
  const { size } = await handle.stat();
  let bytes = size;
  let count = 0;
  for (const line of lines) {
    const after = bytes + Buffer.byteLength(line);
    if (after > bytesMax && bytes > 0) break;
    bytes = after;
    count += 1;
  }
  if (count > 0) await handle.appendFile(lines.slice(0, count).join(''));
  return { count, isFull: count < lines.length };
}

async function openForAppending(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'a', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return open(path, 'a', 0o600);
  }
}

async function setAside(path: string, filesMax: number): Promise<void> {
  if (filesMax <= 1) return rm(path, { force: true });
  for (let number = filesMax - 2; number >= 1; number -= 1) {
    await renameIfThere(`${path}.${number}`, `${path}.${number + 1}`);
  }
  await renameIfThere(path, `${path}.1`);
}

async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
