import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { digestOf } from '../../src/core/values/digest.ts';
import { openFilesystemBlobStore } from '../../src/drivers/blobs/filesystem/filesystem-blob-store.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { readAll } from './blob-store/driver.ts';
import { keptUnder } from './blob-store/encrypted.ts';

it('loses no acknowledged byte of an encrypted upload when it is killed while it appends', async () => {
  await using folder = await temporaryFolder('gantry-killed-');
  const [dataKey, uploadId] = [randomBytes(32), randomUUID()];
  await using store = await openFilesystemBlobStore({ directory: folder.path, workers: 1 });
  const kept = keptUnder(store, dataKey);
  let bytes = 0;
  for (let round = 0; round < 8; round++) {
    const words = [folder.path, dataKey.toString('hex'), uploadId, String(round)];
    const acknowledged = await killWhileAppending(words, 30 + round * 9);
    bytes = await kept.stagedBytes(uploadId);
    assert.ok(bytes >= acknowledged, `round ${round}: ${acknowledged} bytes were acknowledged, ${bytes} are there`);
    assert.equal(await kept.digest(uploadId, 'sha256'), digestOf(contentOf(bytes)), `round ${round}`);
    if (round % 3 === 2) {
      await kept.truncate(uploadId, bytes - 1000);
      bytes -= 1000;
    }
  }
  assert.ok(bytes > 100_000);
  const location = await kept.seal(uploadId, digestOf(contentOf(bytes)), bytes);
  assert.ok((await readAll(kept, location!))?.equals(contentOf(bytes)));
});

/** @returns the last size that was told */
async function killWhileAppending(words: readonly string[], milliseconds: number): Promise<number> {
  const writer = fork(join(import.meta.dirname, 'blob-store', 'appends-without-end.ts'), words, { execArgv: [] });
  let acknowledged = 0;
  writer.on('message', (bytes) => {
    acknowledged = Number(bytes);
  });
  const [bytesBefore] = await once(writer, 'message');
  // However slow the machine is, some of each round is acknowledged.
  while (acknowledged < bytesBefore + 65_536) await once(writer, 'message');
  await setTimeout(milliseconds);
  writer.kill('SIGKILL');
  await once(writer, 'close');
  return acknowledged;
}

function contentOf(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 31) % 251));
}
