import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { type BlobStore, StorageFullError } from '../../../core/blob-store.ts';
import { digestOf } from '../../../core/values/digest.ts';
import { openFilesystemBlobStore } from './filesystem-blob-store.ts';
import { locationOf } from './paths.ts';

let directory: string;
let store: BlobStore;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'gantry-blobs-')), 'made', 'on', 'demand');
  store = await openFilesystemBlobStore({ directory, workers: 1 });
});

afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await rm(join(directory, '../../..'), { recursive: true });
});

async function append(uploadId: string, offset: number, content: Uint8Array, durable = false): Promise<number> {
  const appender = await store.appender(uploadId, offset);
  if (content.byteLength > 0) appender.write(new Uint8Array(content));
  return appender.close(durable);
}

async function openDescriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}

/** How many bytes this process has read from anywhere. */
async function bytesRead(): Promise<number> {
  return Number(/^rchar: (\d+)$/m.exec(await readFile('/proc/self/io', 'utf8'))![1]);
}

const linuxOnly = { skip: process.platform === 'linux' ? false : 'needs the devices and /proc of Linux' };

for (const [first, second] of [
  [100_000, 100_000],
  [100_000, 400_000],
  [400_000, 100_000],
  [400_000, 400_000],
] as const) {
  it(`digests ${first} and then ${second} bytes without reading them again`, linuxOnly, async () => {
    const id = randomUUID();
    const content = Buffer.alloc(first + second, 'gantry');
    await append(id, 0, content.subarray(0, first));
    await append(id, first, content.subarray(first));
    const before = await bytesRead();
    assert.equal(await store.digest(id, 'sha256'), digestOf(content));
    assert.ok((await bytesRead()) - before < 50_000);
  });
}

it('does not trust a running hash when the file has another size', async () => {
  const id = randomUUID();
  await append(id, 0, Buffer.alloc(400_000, 1));
  await truncate(join(directory, 'uploads', id), 300_000);
  assert.equal(await store.digest(id, 'sha256'), digestOf(Buffer.alloc(300_000, 1)));
  await append(id, 300_000, Buffer.alloc(100_000, 2));
  const expected = Buffer.concat([Buffer.alloc(300_000, 1), Buffer.alloc(100_000, 2)]);
  assert.equal(await store.digest(id, 'sha256'), digestOf(expected));
});

for (const bytes of [100, 1_000_000]) {
  it(`says that the disk is full, ${bytes} bytes at a time`, linuxOnly, async () => {
    const id = randomUUID();
    await symlink('/dev/full', join(directory, 'uploads', id));
    const before = await openDescriptors();
    for (let attempt = 0; attempt < 3; attempt++) {
      const appender = await store.appender(id, 0);
      appender.write(new Uint8Array(bytes));
      if (bytes > 256 * 1024) {
        // More than may wait, so that there is something to wait for.
        while (appender.write(new Uint8Array(bytes)));
        await assert.rejects(appender.drained(), StorageFullError);
        assert.equal(appender.write(new Uint8Array(bytes)), false);
        await assert.rejects(appender.drained(), StorageFullError);
      }
      await assert.rejects(appender.close(true), StorageFullError);
      await assert.rejects(appender.close(true), StorageFullError);
    }
    // The first large upload started the worker, which has descriptors of its own.
    assert.ok((await openDescriptors()) <= before + (bytes > 256 * 1024 ? 8 : 0));
  });
}

it('gives up staged bytes whose sync failed', linuxOnly, async () => {
  const id = randomUUID();
  await symlink('/dev/null', join(directory, 'uploads', id));
  await assert.rejects(append(id, 0, new Uint8Array(10), true), { code: 'EINVAL' });
  assert.deepEqual(await readdir(join(directory, 'uploads')), []);
});

it('rejects when the staged file cannot be opened', async () => {
  const id = randomUUID();
  const appender = await store.appender(id, 0);
  await rm(join(directory, 'uploads'), { recursive: true });
  appender.write(new Uint8Array(10));
  await assert.rejects(appender.close(true), { code: 'ENOENT' });
  await assert.rejects(store.ready(), { code: 'ENOENT' });
  await mkdir(join(directory, 'uploads'));
  await store.ready();
  assert.equal(await append(id, 0, new Uint8Array(10), true), 10);
});

it(
  'holds no descriptor before the first write, after a close, or of a reader disposed of early',
  linuxOnly,
  async () => {
    const content = new Uint8Array(3_000_000);
    await append(randomUUID(), 0, content);
    const sealedId = randomUUID();
    await append(sealedId, 0, content);
    const location = (await store.seal(sealedId, digestOf(content), content.byteLength))!;
    const before = await openDescriptors();
    const untouched = await Promise.all(Array.from({ length: 50 }, () => store.appender(randomUUID(), 0)));
    assert.equal(await openDescriptors(), before);
    for (const appender of untouched) await appender.close(false);
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          await append(randomUUID(), 0, new Uint8Array(index % 2 === 0 ? 500 : 300_000), index % 4 === 0);
          const reader = (await store.read(location))!;
          if (index % 2 === 0) await reader.next();
          else reader.next().catch(() => {});
          await reader[Symbol.asyncDispose]();
          await assert.rejects(store.read(location, { first: 0, last: content.byteLength }), RangeError);
        }),
      );
    }
    assert.equal(await openDescriptors(), before);
  },
);

it('rejects when sealed bytes are fewer than promised', async () => {
  const id = randomUUID();
  const content = new Uint8Array(3_000_000);
  await append(id, 0, content);
  const location = (await store.seal(id, digestOf(content), content.byteLength))!;
  await using reader = (await store.read(location))!;
  await truncate(join(directory, 'blobs', location), 1_500_000);
  await assert.rejects(async () => {
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) reader.recycle(chunk);
  }, /end at 1500000/);
});

it('passes over files that are not its own', async () => {
  const content = new Uint8Array(10);
  const id = randomUUID();
  await append(id, 0, content);
  const location = (await store.seal(id, digestOf(content), 10))!;
  const stagedId = randomUUID();
  await append(stagedId, 0, content);
  await writeFile(join(directory, 'uploads', 'lost+found'), '');
  await writeFile(join(directory, 'uploads', '.ready'), '');
  await writeFile(join(directory, 'blobs', 'sha256', 'README'), '');
  await writeFile(join(directory, 'blobs', `${location}.bak`), '');
  await mkdir(join(directory, 'blobs', 'sha256', 'zz'));
  await mkdir(join(directory, 'uploads', randomUUID()));
  assert.deepEqual(
    (await Array.fromAsync(store.staged())).map((upload) => upload.uploadId),
    [stagedId],
  );
  assert.deepEqual(
    (await Array.fromAsync(store.list())).map((blob) => blob.location),
    [location],
  );
});

it('seals again into a folder that somebody removed, and where it is drawn', async () => {
  const content = new Uint8Array(10);
  const digest = digestOf(content);
  const [one, two] = [randomUUID(), randomUUID()];
  await append(one, 0, content);
  const location = (await store.seal(one, digest, 10))!;
  assert.equal(location, locationOf(digest, one));
  assert.equal((await readFile(join(directory, 'blobs', location))).byteLength, 10);
  await rm(join(directory, 'blobs', 'sha256'), { recursive: true });
  await append(two, 0, content);
  await assert.rejects(store.seal(two, digest, 10), { code: 'ENOENT' });
  assert.equal(await store.seal(two, digest, 10), locationOf(digest, two));
});

it('rejects ids and locations that it cannot have made', async () => {
  await assert.rejects(store.appender('../../etc/passwd', 0), TypeError);
  await assert.rejects(store.seal('x', digestOf(new Uint8Array()), 0), TypeError);
  await assert.rejects(store.read('../uploads/x'), TypeError);
  await assert.rejects(store.delete('sha256/../../x'), TypeError);
});
