import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { startServer } from '../support/server.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../system/until.ts';
import { readTrace, type SystemCall, traceEnded, traceWords, whyNotTraced } from './trace.ts';

const repositoryName = 'traced/archive';

/** Bytes are deleted where they were: a trace shows that by then they, and their name, are on the disk where they are. */
describe('a traced move to the archive and back', { skip: await whyNotTraced() }, () => {
  let folder: TemporaryFolder | undefined;
  let data = '';
  let archive = '';
  let calls: readonly SystemCall[] = [];

  before(async () => {
    folder = await temporaryFolder('gantry-trace-');
    [data, archive] = [join(folder.path, 'data'), join(folder.path, 'archive')];
    const file = join(folder.path, 'trace');
    await moveTraced(data, archive, file);
    calls = readTrace(readFileSync(file, 'utf8'));
  });
  after(() => folder?.[Symbol.asyncDispose]());

  const syncedBetween = (path: string, from: SystemCall, to: SystemCall) =>
    calls.some(
      ({ name, path: synced, begin, end }) =>
        /^f(data)?sync$/.test(name) && synced === path && begin > from.end && end < to.begin,
    );
  const movesInto = (root: string) =>
    calls.filter(({ name, path }) => name.startsWith('rename') && dirname(path) === join(root, 'moving'));

  const assertMoves = (from: string, to: string) => {
    const renames = movesInto(to);
    assert.equal(renames.length, 2);
    for (const rename of renames) {
      const target = /"([^"]*)"[^"]*$/.exec(rename.words)?.[1] ?? '';
      assert.ok(target.startsWith(join(to, 'blobs', 'sha256')), target);
      const lastWrite = calls.filter(({ name, path }) => name.includes('write') && path === rename.path).at(-1);
      assert.ok(lastWrite && lastWrite.end < rename.begin, 'bytes are written after they have their name');
      assert.ok(syncedBetween(rename.path, lastWrite, rename), `${rename.path} is not synced before it has its name`);
      const source = join(from, target.slice(to.length));
      const deletion = calls.find(
        ({ name, words, begin }) => name.startsWith('unlink') && words.includes(`"${source}"`) && begin > rename.end,
      );
      assert.ok(deletion, `${source} is not deleted`);
      assert.ok(syncedBetween(dirname(target), rename, deletion), `${target} may not have its name on the disk`);
    }
  };

  test('deletes nothing in the data folder before it is on disk in the archive', () => assertMoves(data, archive));

  test('deletes nothing in the archive before it is on disk in the data folder', () => assertMoves(archive, data));
});

/** An image of two blobs, archived and restored by a server under strace. */
async function moveTraced(data: string, archive: string, file: string): Promise<void> {
  const args = ['--archive-dir', archive];
  await using server = await startServer({ data, args, prefix: [...traceWords, '-o', file] });
  await pushImage(server.url, repositoryName, 'v1', randomImage([1_500_000]));
  const update = async (targetStorageClass: string) => {
    const input = { repositoryName, imageId: { imageTag: 'v1' }, targetStorageClass };
    assert.equal((await awsCall(server.url, 'UpdateImageStorageClass', input)).status, 200);
  };
  const filesIn = (folder: string) => globSync('blobs/sha256/*/*', { cwd: folder }).length;
  await update('ARCHIVE');
  await until(() => filesIn(archive) === 2 && filesIn(data) === 0);
  await update('STANDARD');
  await until(() => filesIn(data) === 2 && filesIn(archive) === 0);
  await server.stop();
  await traceEnded(file);
}
