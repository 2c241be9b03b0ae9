import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { digestOf } from '../../../core/values/digest.ts';
import type { UploadMemory } from './idle-uploads.ts';
import { StagedAppender } from './staged-appender.ts';
import { NOTHING_STAGED } from './staged-facts.ts';
import { UploadWorkers } from './upload-workers.ts';
import { WorkerLane } from './worker-lane.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-workers-'));
});
after(() => rm(folder, { recursive: true }));

function appenderTo(name: string, workers: UploadWorkers): [StagedAppender, Promise<UploadMemory>] {
  const remembered = Promise.withResolvers<UploadMemory>();
  const target = {
    path: join(folder, name),
    workers,
    syncNames: async () => {},
    remember: remembered.resolve,
    lose: async () => {},
  };
  const memory = { facts: NOTHING_STAGED, lane: undefined, bytesSynced: false, nameSynced: false };
  return [new StagedAppender(target, memory), remembered.promise];
}

it('is not asked for a small append', async () => {
  const [appender] = appenderTo('small', new NoWorkers(1));
  for (let count = 0; count < 255; count++) appender.write(new Uint8Array(1024));
  assert.equal(await appender.close(true), 255 * 1024);
});

class NoWorkers extends UploadWorkers {
  override leastBusy(): never {
    throw new Error('A worker was asked for');
  }
}

it('loses its hashes when it ends, and another one takes its place', async () => {
  await using workers = new UploadWorkers(1);
  const [appender, remembered] = appenderTo('dying', workers);
  appender.write(new Uint8Array(300_000));
  await appender.close(false);
  const { lane } = await remembered;
  assert.ok(lane instanceof WorkerLane);
  assert.equal(lane.hashedBytes, 300_000);
  const link = workers.leastBusy();
  await link.terminate();
  assert.equal(lane.hashedBytes, undefined);
  assert.equal(await lane.sha256Hex(), undefined);
  await assert.rejects(link.ask({ kind: 'sha256', stream: 1 }), /ended/);
  const expected = digestOf(await readFile(join(folder, 'dying'))).slice('sha256:'.length);
  assert.equal(await workers.hashFile(join(folder, 'dying'), 'sha256'), expected);
});

it('ends while it is asked: the append is rejected, not left hanging', async () => {
  await using workers = new UploadWorkers(1);
  const [appender] = appenderTo('cut', workers);
  appender.write(new Uint8Array(300_000));
  const link = workers.leastBusy();
  const closing = appender.close(true);
  while (link.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([assert.rejects(closing, /ended/), link.terminate()]);
});

it('writes nothing of an upload after one of its batches failed', async () => {
  await using workers = new UploadWorkers(1);
  const path = join(folder, 'holes');
  const file = await open(path, 'w+');
  const readOnly = await open(path, 'r');
  try {
    const lane = new WorkerLane(workers.leastBusy(), file, 0);
    await assert.rejects(lane.write(readOnly, 0, { chunks: [new Uint8Array(10)], bytes: 10 }), { code: 'EBADF' });
    await assert.rejects(lane.write(file, 10, { chunks: [new Uint8Array(10)], bytes: 10 }), { code: 'EBADF' });
    assert.equal((await file.stat()).size, 0);
  } finally {
    await file.close();
    await readOnly.close();
  }
});

it('rejects a file that is not there with its code', async () => {
  await using workers = new UploadWorkers(2);
  await assert.rejects(workers.hashFile(join(folder, 'missing'), 'sha512'), { code: 'ENOENT' });
});

it('takes no work once it was disposed of', async () => {
  const workers = new UploadWorkers(1);
  await workers[Symbol.asyncDispose]();
  await assert.rejects(workers.hashFile('x', 'sha256'), /closed/);
});
