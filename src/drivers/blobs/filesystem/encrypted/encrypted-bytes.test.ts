import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import type { BlobStore, ByteRange, KeptBytes } from '../../../../core/blob-store.ts';
import { digestOf } from '../../../../core/values/digest.ts';
import { openFilesystemBlobStore } from '../filesystem-blob-store.ts';
import { CHUNK_BYTES, RECORD_BYTES } from './chunk-cipher.ts';

const MARK = 'these words must not be found on the disk';
const dataKey = randomBytes(32);
let directory: string;
let store: BlobStore;
let kept: KeptBytes;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gantry-encrypted-'));
  store = await openFilesystemBlobStore({ directory, workers: 1 });
  kept = under(store);
});

afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

function under({ encrypting }: BlobStore, key = dataKey): KeptBytes {
  assert.equal(encrypting?.by, 'data-keys');
  return encrypting.under(key);
}

function contentOf(bytes: number): Buffer {
  return Buffer.concat([Buffer.from(MARK), randomBytes(bytes), Buffer.from(MARK)]).subarray(0, bytes);
}

async function append(uploadId: string, offset: number, content: Uint8Array, durable = false): Promise<void> {
  const appender = await kept.appender(uploadId, offset);
  if (!appender.write(new Uint8Array(content))) await appender.drained();
  await appender.close(durable);
}

async function sealed(content: Uint8Array, uploadId: string = randomUUID()): Promise<string> {
  await append(uploadId, 0, content);
  const location = await kept.seal(uploadId, digestOf(content), content.byteLength);
  return location ?? assert.fail('Nothing was sealed');
}

async function read(location: string, range?: ByteRange): Promise<Buffer> {
  await using reader = (await kept.read(location, range))!;
  const chunks: Buffer[] = [];
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    chunks.push(Buffer.from(chunk));
    reader.recycle(chunk);
  }
  return Buffer.concat(chunks);
}

const fileOf = (location: string) => join(directory, 'blobs', location);
const stagedFile = (uploadId: string, suffix: string) => join(directory, 'uploads', `${uploadId}${suffix}`);

it('writes nothing plain, staged or sealed', async () => {
  for (const bytes of [MARK.length, 1000, CHUNK_BYTES + 100, 700_000]) {
    const id = randomUUID();
    const content = contentOf(bytes);
    await append(id, 0, content, true);
    for (const name of await readdir(join(directory, 'uploads'))) {
      assert.ok(!(await readFile(join(directory, 'uploads', name))).includes(MARK), name);
    }
    const location = (await kept.seal(id, digestOf(content), bytes))!;
    assert.ok(!(await readFile(fileOf(location))).includes(MARK));
    assert.ok(content.equals(await read(location)));
    assert.deepEqual(await readdir(join(directory, 'uploads')), []);
  }
});

it('writes the same bytes differently each time', async () => {
  const content = Buffer.alloc(2 * CHUNK_BYTES, 'same');
  const files = await Promise.all([await sealed(content), await sealed(content)].map((each) => readFile(fileOf(each))));
  assert.ok(!files[0]!.equals(files[1]!));
  assert.ok(!files[0]!.subarray(12, 1000).equals(files[0]!.subarray(RECORD_BYTES + 12, RECORD_BYTES + 1000)));
});

it('rejects a bit flipped in any record, wherever in it', async () => {
  const content = contentOf(5 * CHUNK_BYTES + 300);
  const location = await sealed(content);
  const good = await readFile(fileOf(location));
  for (let record = 0; record < 6; record++) {
    const length = Math.min(RECORD_BYTES, good.byteLength - record * RECORD_BYTES);
    for (const place of [0, 11, 12, 100, length - 17, length - 16, length - 1]) {
      const bad = Buffer.from(good);
      bad[record * RECORD_BYTES + place]! ^= 1;
      await writeFile(fileOf(location), bad);
      await assert.rejects(read(location), /does not open/, `record ${record}, byte ${place}`);
      const first = record * CHUNK_BYTES + 10;
      await assert.rejects(read(location, { first, last: first + 5 }), /does not open/);
    }
  }
  await writeFile(fileOf(location), good);
  assert.ok(content.equals(await read(location)));
});

it('rejects records that were swapped, repeated, dropped or cut off', async () => {
  for (const bytes of [4 * CHUNK_BYTES, 4 * CHUNK_BYTES + 77]) {
    const location = await sealed(contentOf(bytes));
    const good = await readFile(fileOf(location));
    const at = (index: number) =>
      good.subarray(index * RECORD_BYTES, Math.min((index + 1) * RECORD_BYTES, good.length));
    const arrangements: [name: string, records: Buffer[]][] = [
      ['swapped', [at(0), at(2), at(1), at(3), at(4)]],
      ['repeated', [at(0), at(0), at(1), at(2), at(3), at(4)]],
      ['without the first', [at(1), at(2), at(3), at(4)]],
      ['without one between', [at(0), at(2), at(3), at(4)]],
      ['without the last whole one', [at(0), at(1), at(2), at(4)]],
      ['without the end', [at(0), at(1), at(2), at(3)]],
      ['cut within a record', [good.subarray(0, 2 * RECORD_BYTES + 5000)]],
      ['cut to where an empty end would be', [good.subarray(0, 2 * RECORD_BYTES + 28)]],
      ['longer', [good, randomBytes(100)]],
      ['empty', []],
    ];
    for (const [name, records] of arrangements) {
      await writeFile(fileOf(location), Buffer.concat(records));
      await assert.rejects(read(location), Error, name);
    }
  }
});

it('rejects the records of another blob, also under the same key', async () => {
  const [one, other] = [await sealed(contentOf(3 * CHUNK_BYTES)), await sealed(contentOf(3 * CHUNK_BYTES))];
  const [mine, others] = [await readFile(fileOf(one)), await readFile(fileOf(other))];
  await writeFile(fileOf(one), others);
  await assert.rejects(read(one), /does not open/);
  others.copy(mine, RECORD_BYTES, RECORD_BYTES, 2 * RECORD_BYTES);
  await writeFile(fileOf(one), mine);
  await assert.rejects(read(one), /does not open/);
});

it('rejects a tail as the end of a blob: an upload that was longer must not look whole', async () => {
  const id = randomUUID();
  const content = contentOf(CHUNK_BYTES + 5000);
  await append(id, 0, content.subarray(0, CHUNK_BYTES + 1000), true);
  const [chunks, tail] = [await readFile(stagedFile(id, '.chunks')), await readFile(stagedFile(id, '.tail'))];
  await append(id, CHUNK_BYTES + 1000, content.subarray(CHUNK_BYTES + 1000));
  const location = await kept.seal(id, digestOf(content), content.byteLength);
  assert.ok(content.equals(await read(location!)));
  await writeFile(fileOf(location!), Buffer.concat([chunks, tail.subarray(8)]));
  await assert.rejects(read(location!), /does not open/);
});

it('opens nothing under one of two keys, or another second one', async () => {
  const [first, second] = [randomBytes(32), randomBytes(32)];
  kept = under(store, Buffer.concat([first, second]));
  const content = contentOf(CHUNK_BYTES + 5000);
  const location = await sealed(content);
  assert.ok(content.equals(await read(location)));
  for (const keys of [[first], [second], [second, first], [first, randomBytes(32)]]) {
    kept = under(store, Buffer.concat(keys));
    await assert.rejects(read(location), /does not open/);
  }
});

it('gives ranges on both sides of every border', async () => {
  const content = contentOf(20 * CHUNK_BYTES + 5);
  const location = await sealed(content);
  const places = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 4 * CHUNK_BYTES - 1, 4 * CHUNK_BYTES];
  places.push(17 * CHUNK_BYTES + 3, 20 * CHUNK_BYTES - 1, 20 * CHUNK_BYTES, 20 * CHUNK_BYTES + 4);
  for (const first of places) {
    for (const last of places.filter((place) => place >= first)) {
      const range = await read(location, { first, last });
      assert.ok(content.subarray(first, last + 1).equals(range), `${first} to ${last}`);
    }
  }
});

it('goes on from a cut at any offset', async () => {
  const content = contentOf(6 * CHUNK_BYTES + 500);
  const more = contentOf(2 * CHUNK_BYTES);
  const cuts = [1, 499, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 6 * CHUNK_BYTES - 1];
  for (const cut of [0, ...cuts, 6 * CHUNK_BYTES, 6 * CHUNK_BYTES + 499]) {
    const id = randomUUID();
    await append(id, 0, content, cut % 2 === 0);
    await kept.truncate(id, cut);
    assert.equal(await kept.stagedBytes(id), cut);
    assert.equal(await kept.digest(id, 'sha256'), digestOf(content.subarray(0, cut)));
    await append(id, cut, more);
    const whole = Buffer.concat([content.subarray(0, cut), more]);
    const location = await kept.seal(id, digestOf(whole), whole.byteLength);
    assert.ok(whole.equals(await read(location!)), `cut at ${cut}`);
  }
});

it('counts no tail that was left behind by a chunk that became whole, nor brings it back with a cut', async () => {
  const id = randomUUID();
  const content = contentOf(2 * CHUNK_BYTES);
  await append(id, 0, content.subarray(0, CHUNK_BYTES + 50), true);
  await append(id, CHUNK_BYTES + 50, content.subarray(CHUNK_BYTES + 50));
  assert.equal(await kept.stagedBytes(id), 2 * CHUNK_BYTES);
  await kept.truncate(id, CHUNK_BYTES);
  assert.equal(await kept.stagedBytes(id), CHUNK_BYTES);
  assert.equal(await kept.digest(id, 'sha256'), digestOf(content.subarray(0, CHUNK_BYTES)));
});

it('counts nothing of a write that was cut short, and writes over it', async () => {
  const id = randomUUID();
  const content = contentOf(3 * CHUNK_BYTES + 10);
  await append(id, 0, content.subarray(0, 2 * CHUNK_BYTES + 99), true);
  await truncate(stagedFile(id, '.chunks'), 2 * RECORD_BYTES + 4000);
  await using other = await openFilesystemBlobStore({ directory, workers: 1 });
  kept = under(other);
  assert.equal(await kept.stagedBytes(id), 2 * CHUNK_BYTES + 99);
  await append(id, 2 * CHUNK_BYTES + 99, content.subarray(2 * CHUNK_BYTES + 99));
  const location = await kept.seal(id, digestOf(content), content.byteLength);
  assert.ok(content.equals(await read(location!)));
});

it('seals again after a seal that went as far as its end', async () => {
  const id = randomUUID();
  const content = contentOf(CHUNK_BYTES + 1000);
  await append(id, 0, content, true);
  const [chunks, tail] = [await readFile(stagedFile(id, '.chunks')), await readFile(stagedFile(id, '.tail'))];
  await writeFile(stagedFile(id, '.chunks'), Buffer.concat([chunks, tail.subarray(8)]));
  assert.equal(await kept.stagedBytes(id), content.byteLength);
  const location = await kept.seal(id, digestOf(content), content.byteLength);
  assert.ok(content.equals(await read(location!)));
});

it('finds a blob whose seal was cut short after the rename, and lists what lies about for discarding', async () => {
  const id = randomUUID();
  const content = contentOf(CHUNK_BYTES + 1000);
  await append(id, 0, content, true);
  const tail = await readFile(stagedFile(id, '.tail'));
  const location = await kept.seal(id, digestOf(content), content.byteLength);
  await writeFile(stagedFile(id, '.tail'), tail);
  assert.equal(await kept.stagedBytes(id), 0);
  const staged: unknown[] = [];
  for await (const { uploadId, bytes } of store.staged()) staged.push([uploadId, bytes]);
  assert.deepEqual(staged, [[id, 0]]);
  assert.equal(await kept.seal(id, digestOf(content), content.byteLength), location);
  assert.deepEqual(await readdir(join(directory, 'uploads')), []);
});

it('rejects the digest of staged bytes that are damaged', async () => {
  for (const bytes of [CHUNK_BYTES + 9, 10 * CHUNK_BYTES]) {
    const id = randomUUID();
    await append(id, 0, contentOf(bytes));
    const chunks = await readFile(stagedFile(id, '.chunks'));
    chunks[500]! ^= 1;
    await writeFile(stagedFile(id, '.chunks'), chunks);
    await assert.rejects(kept.digest(id, 'sha256'), /does not open/);
  }
});

it('gives who follows an upload the end that is sealed meanwhile, and nothing of a chunk that is half written', async () => {
  const id = randomUUID();
  const content = contentOf(5 * CHUNK_BYTES + 300);
  await append(id, 0, content);
  await using follower = (await kept.followStaged?.(id, 0))!;
  const seen = [Buffer.from((await follower.next())!)];
  assert.equal(seen[0]?.byteLength, 2 * CHUNK_BYTES);
  await kept.seal(id, digestOf(content), content.byteLength);
  for (let chunk = await follower.next(); chunk; chunk = await follower.next()) seen.push(Buffer.from(chunk));
  assert.ok(Buffer.concat(seen).equals(content));

  const other = randomUUID();
  await append(other, 0, contentOf(CHUNK_BYTES));
  const file = stagedFile(other, '.chunks');
  await writeFile(file, Buffer.concat([await readFile(file), randomBytes(1000)]));
  await using waiting = (await kept.followStaged?.(other, 0))!;
  assert.equal((await waiting.next())?.byteLength, CHUNK_BYTES);
  assert.equal(await waiting.next(), undefined);
});

it('gives nobody who follows an upload bytes that were altered', async () => {
  const id = randomUUID();
  await append(id, 0, contentOf(CHUNK_BYTES + 300));
  for (const [suffix, offset] of [
    ['.chunks', 0],
    ['.tail', CHUNK_BYTES],
  ] as const) {
    const file = stagedFile(id, suffix);
    const bad = await readFile(file);
    bad[200]! ^= 1;
    await writeFile(file, bad);
    await using follower = (await kept.followStaged?.(id, offset))!;
    await assert.rejects(follower.next(), /does not open/);
  }
});

it('writes nothing plain for those who follow, and what it wrote for them counts after a crash', async () => {
  const id = randomUUID();
  const content = contentOf(CHUNK_BYTES + MARK.length);
  const appender = await kept.appender(id, 0);
  appender.write(new Uint8Array(content));
  await Promise.all([appender.flush?.(), appender.flush?.()]);
  for (const name of await readdir(join(directory, 'uploads'))) {
    assert.ok(!(await readFile(join(directory, 'uploads', name))).includes(MARK), name);
  }
  assert.equal(await kept.stagedBytes(id), content.byteLength);
  appender.write(new Uint8Array(content));
  const flushing = appender.flush?.();
  assert.equal(await appender.close(false), 2 * content.byteLength);
  await flushing;
  assert.equal(await kept.digest(id, 'sha256'), digestOf(Buffer.concat([content, content])));
});
