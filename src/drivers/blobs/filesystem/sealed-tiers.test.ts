import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { BlobLocation, BlobStore } from '../../../core/blob-store.ts';
import { digestOf } from '../../../core/values/digest.ts';
import { BufferPool } from './buffer-pool.ts';
import { openFilesystemBlobStore } from './filesystem-blob-store.ts';
import { DurableFolders } from './folders.ts';
import { BlobPaths } from './paths.ts';
import { SealedTiers } from './sealed-tiers.ts';

let folder: string;
let store: BlobStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-tiers-'));
  store = await open();
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function open(): Promise<BlobStore> {
  return openFilesystemBlobStore({ directory: data(), archiveDirectory: archive(), workers: 1 });
}

const data = () => join(folder, 'data');
const archive = () => join(folder, 'archive');
const inData = (location: BlobLocation) => join(data(), 'blobs', location);
const inArchive = (location: BlobLocation) => join(archive(), 'blobs', location);

async function sealed(content: Uint8Array): Promise<BlobLocation> {
  const uploadId = randomUUID();
  const appender = await store.appender(uploadId, 0);
  appender.write(new Uint8Array(content));
  await appender.close(false);
  return (await store.seal(uploadId, digestOf(content), content.byteLength))!;
}

/** Which of the two folders have the bytes, all of them. */
async function places(location: BlobLocation, content: Uint8Array): Promise<string[]> {
  const found: string[] = [];
  for (const [name, path] of [
    ['data', inData(location)],
    ['archive', inArchive(location)],
  ] as const) {
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes === undefined) continue;
    assert.ok(bytes.equals(content), `${name} has other bytes`);
    found.push(name);
  }
  return found;
}

describe('an archive', () => {
  const content = randomBytes(300_000);

  it('has the bytes, and the folder of the store has them no longer', async () => {
    const location = await sealed(content);
    assert.deepEqual(await places(location, content), ['data']);
    await store.archive!(location);
    assert.deepEqual(await places(location, content), ['archive']);
    await store.restore!(location);
    assert.deepEqual(await places(location, content), ['data']);
    for (const root of [data(), archive()]) assert.deepEqual(await readdir(join(root, 'moving')), []);
  });

  it('must be another folder than the store, by whatever name', async () => {
    const other = { directory: data(), workers: 1 };
    await assert.rejects(openFilesystemBlobStore({ ...other, archiveDirectory: data() }), /another folder/);
    await symlink(data(), join(folder, 'alias'));
    await assert.rejects(
      openFilesystemBlobStore({ ...other, archiveDirectory: join(folder, 'alias') }),
      /another folder/,
    );
  });

  it('leaves alone what is damaged', async () => {
    const location = await sealed(content);
    const damaged = Buffer.from(content);
    damaged[200_000]! ^= 1;
    await writeFile(inData(location), damaged);
    await assert.rejects(store.archive!(location), /damaged/);
    assert.deepEqual(await places(location, damaged), ['data']);
    assert.deepEqual(await readdir(join(archive(), 'moving')), []);
  });

  it('leaves things as they were when it cannot be written, and takes them later', async () => {
    const location = await sealed(content);
    await rm(join(archive(), 'moving'), { recursive: true });
    await writeFile(join(archive(), 'moving'), 'in the way');
    await assert.rejects(store.archive!(location), { code: 'ENOTDIR' });
    assert.deepEqual(await places(location, content), ['data']);
    await rm(join(archive(), 'moving'));
    await mkdir(join(archive(), 'moving'));
    await store.archive!(location);
    assert.deepEqual(await places(location, content), ['archive']);
  });

  it('forgets what a move cut short left a day ago, and no younger one', async () => {
    const [old, young] = [join(archive(), 'moving', randomUUID()), join(archive(), 'moving', randomUUID())];
    await writeFile(old, 'x');
    await writeFile(young, 'x');
    const before = new Date(Date.now() - 25 * 3600 * 1000);
    await utimes(old, before, before);
    await store.archive!(await sealed(content));
    assert.deepEqual(await readdir(join(archive(), 'moving')), [young.slice(young.lastIndexOf('/') + 1)]);
  });
});

it('finds bytes that come back just when it turns to the archive', async () => {
  const primary = new BlobPaths(data());
  /** Whoever asks it for a path finds that the file has left. */
  class Deserted extends BlobPaths {
    override sealed(location: BlobLocation): string {
      const path = super.sealed(location);
      if (existsSync(path)) renameSync(path, primary.sealed(location));
      return path;
    }
  }
  const tierOf = (paths: BlobPaths) => ({ paths, folders: new DurableFolders(paths.directory) });
  const tiers = new SealedTiers(tierOf(primary), tierOf(new Deserted(archive())), new BufferPool());
  const location = await sealed(randomBytes(10));
  await store.archive!(location);
  assert.deepEqual(await tiers.stat(location), { bytes: 10 });
  await store.archive!(location);
  await using reader = await tiers.read(location);
  assert.equal(reader?.bytes, 10);
});

describe('bytes that a crash left in both folders', () => {
  const content = randomBytes(1000);
  const inBoth = async () => {
    const location = await sealed(content);
    await mkdir(dirname(inArchive(location)), { recursive: true });
    await copyFile(inData(location), inArchive(location));
    assert.deepEqual(await places(location, content), ['data', 'archive']);
    return location;
  };

  it('are in one after the next move, either way', async () => {
    const [one, other] = [await inBoth(), await inBoth()];
    await store.archive!(one);
    assert.deepEqual(await places(one, content), ['archive']);
    await store.restore!(other);
    assert.deepEqual(await places(other, content), ['data']);
  });

  it('are deleted from both, and listed once', async () => {
    const location = await inBoth();
    assert.equal((await Array.fromAsync(store.list())).length, 1);
    await store.delete(location);
    assert.deepEqual(await places(location, content), []);
  });

  it('are copied again when one of them is short', async () => {
    const location = await inBoth();
    await writeFile(inArchive(location), content.subarray(0, 500));
    await store.archive!(location);
    assert.deepEqual(await places(location, content), ['archive']);
  });
});
