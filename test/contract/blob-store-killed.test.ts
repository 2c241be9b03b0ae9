import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { BlobLocation } from '../../src/core/blob-store.ts';
import { openFilesystemBlobStore } from '../../src/drivers/blobs/filesystem/filesystem-blob-store.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { contentOf, readAll, sealed } from './blob-store/driver.ts';

const BLOB_BYTES = 2_000_000;

it('leaves bytes whole when it is killed while it moves them, and ends the move later', async () => {
  await using folder = await temporaryFolder('gantry-killed-');
  const [directory, archiveDirectory] = [join(folder.path, 'data'), join(folder.path, 'archive')];
  await using store = await openFilesystemBlobStore({ directory, archiveDirectory, workers: 1 });
  const contents = Array.from({ length: 4 }, () => contentOf(BLOB_BYTES));
  const locations = await Promise.all(contents.map(async (content) => (await sealed(store, content)).location));

  for (let round = 0; round < 12; round++) {
    await killWhileMoving([directory, archiveDirectory, ...locations], 20 + round * 7);
    for (const [index, location] of locations.entries()) {
      assert.ok((await readAll(store, location))?.equals(contents[index]!), `round ${round}: ${location}`);
    }
  }
  for (const [index, location] of locations.entries()) {
    assert.equal(await store.archive?.(location), true);
    assert.equal(await bytesIn(directory, location), undefined);
    assert.ok((await bytesIn(archiveDirectory, location))?.equals(contents[index]!));
  }
});

async function killWhileMoving(words: readonly string[], milliseconds: number): Promise<void> {
  const mover = fork(join(import.meta.dirname, 'blob-store', 'moves-without-end.ts'), words, { execArgv: [] });
  await once(mover, 'message');
  await setTimeout(milliseconds);
  mover.kill('SIGKILL');
  await once(mover, 'close');
}

function bytesIn(folder: string, location: BlobLocation): Promise<Buffer | undefined> {
  return readFile(join(folder, 'blobs', location)).catch(() => undefined);
}
