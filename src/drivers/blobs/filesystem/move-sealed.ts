import { createHash, randomUUID } from 'node:crypto';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BlobLocation } from '../../../core/blob-store.ts';
import { algorithmOf, hexOf } from '../../../core/values/digest.ts';
import { type DurableFolders, syncFolder } from './folders.ts';
import { type BlobPaths, digestAt, isEncryptedAt } from './paths.ts';
import { unlessMissing } from './storage-errors.ts';

/** A folder that sealed bytes lie in. */
export interface Tier {
  readonly paths: BlobPaths;
  readonly folders: DurableFolders;
}

/**
 * Takes sealed bytes from one folder to the other, which may lie on different disks: copy, fsync, rename and fsync of the folder
 * there; only then are they deleted here. A crash at any point leaves them whole in one place at least, and a second call
 * ends what it began.
 *
 * @returns false when the bytes are in neither folder
 */
export async function moveSealed(location: BlobLocation, from: Tier, to: Tier): Promise<boolean> {
  const source = from.paths.sealed(location);
  const target = to.paths.sealed(location);
  const [here, there] = [await unlessMissing(stat(source)), await unlessMissing(stat(target))];
  if (here === undefined) return there !== undefined;
  const folder = dirname(target);
  await to.folders.ensure(folder);
  if (there?.size !== here.size) {
    await forgetRemains(to.paths);
    await copySealed(source, target, location, to);
  }
  // Also when it was there already: whoever renamed it may have died before its name was on the disk.
  await syncFolder(folder);
  await unlessMissing(rm(source));
  return true;
}

async function copySealed(source: string, target: string, location: BlobLocation, { paths, folders }: Tier) {
  // A name of its own: a second move of the same bytes, begun when this one was taken for dead, must not write into this one.
  const moving = join(paths.moving, randomUUID());
  try {
    const hex = await copyDurably(source, moving, location);
    // The digest is that of the plain bytes; whoever reads encrypted ones finds any damage of them.
    if (!isEncryptedAt(location) && hex !== hexOf(digestAt(location)!)) {
      throw new Error(`The bytes at ${location} are damaged: they hash to ${hex}; they stay where they are`);
    }
    await rename(moving, target);
  } catch (error) {
    folders.forget(dirname(target));
    await rm(moving, { force: true }).catch(() => {});
    throw error;
  }
}

const REMAINS_SECONDS = 24 * 3600;

/** Deletes what moves that a crash cut short have left. */
async function forgetRemains({ moving }: BlobPaths): Promise<void> {
  for (const name of await readdir(moving)) {
    const path = join(moving, name);
    const facts = await unlessMissing(stat(path));
    if (facts?.isFile() && facts.mtimeMs < Date.now() - REMAINS_SECONDS * 1000) await rm(path, { force: true });
  }
}

const CHUNK_BYTES = 1024 * 1024;

/** @returns the digest of what was copied: damaged bytes must not take the place of good ones unnoticed */
async function copyDurably(source: string, moving: string, location: BlobLocation): Promise<string> {
  const hash = createHash(algorithmOf(digestAt(location)!));
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  await using reading = await open(source, 'r');
  await using writing = await open(moving, 'wx');
  for (;;) {
    const { bytesRead } = await reading.read(chunk, 0, CHUNK_BYTES);
    if (bytesRead === 0) break;
    hash.update(chunk.subarray(0, bytesRead));
    for (let written = 0; written < bytesRead; ) {
      written += (await writing.write(chunk, written, bytesRead - written)).bytesWritten;
    }
  }
  await writing.sync();
  return hash.digest('hex');
}
