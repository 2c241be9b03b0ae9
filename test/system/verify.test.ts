import assert from 'node:assert/strict';
import {
  appendFileSync,
  globSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { needsFolder } from '../support/cluster-mode.ts';
import { type Image, pushImage, randomImage } from '../support/images.ts';
import { type Ran, runAny } from '../support/programs.ts';
import { checkout, pinnedNode, startServer } from '../support/server.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

const verify = (data: string, ...words: string[]): Promise<Ran> =>
  runAny([pinnedNode, join(checkout, 'bin', 'gantry.js'), 'verify', '--data', data, ...words]);

/** A folder with one image of one layer, and no server on it. */
async function filledFolder(): Promise<TemporaryFolder & { image: Image; layerFile: string }> {
  const folder = await temporaryFolder();
  const image = randomImage([10_000]);
  await using server = await startServer({ data: folder.path });
  await pushImage(server.url, 'some/image', 'latest', image);
  const [layerFile = ''] = globSync(`blobs/sha256/*/${hexOf(image.layers[0]!.digest)}.*`, { cwd: folder.path });
  return { ...folder, image, layerFile: join(folder.path, layerFile) };
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length);
}

function changeDatabase(data: string, statement: string, ...values: (string | Uint8Array)[]): void {
  const database = new DatabaseSync(join(data, 'gantry.db'));
  database.exec('pragma foreign_keys = off');
  const { changes } = database.prepare(statement).run(...values);
  database.close();
  assert.equal(changes, 1, statement);
}

function assertOneProblem({ code, stdout }: Ran, problem: RegExp): void {
  const [first = '', second = ''] = stdout.split('\n');
  assert.match(first, problem);
  assert.match(second, /^Verified 2 blobs \(.*\) and 1 manifests: 1 problems\.$/);
  assert.equal(code, 1);
}

describe('gantry verify', () => {
  it('finds all well, also beside a running server', async () => {
    await using server = await startServer();
    await pushImage(server.url, 'some/image', 'latest', randomImage([10_000]));
    const { code, stdout } = await verify(server.data);
    assert.match(stdout, /^Verified 2 blobs \(\d+\.\d KiB\) and 1 manifests: all is well\.\n$/);
    assert.equal(code, 0);
  });

  // test/cluster/backup.test.ts has what is missing in a bucket.
  const skip = needsFolder('changes files and the database in a folder');
  it('finds a flipped bit', { skip }, async () => {
    await using folder = await filledFolder();
    const file = openSync(folder.layerFile, 'r+');
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, 5000);
    writeSync(file, Buffer.of(byte[0]! ^ 1), 0, 1, 5000);
    const damaged = `^Blob ${folder.image.layers[0]!.digest} of .* is damaged: the bytes at sha256/.* hash to sha256:`;
    assertOneProblem(await verify(folder.path), new RegExp(damaged));
  });

  it('finds a file that was cut short, or grew', { skip }, async () => {
    await using folder = await filledFolder();
    truncateSync(folder.layerFile, 9_999);
    assertOneProblem(await verify(folder.path), /has 9999 bytes at sha256\/.*; the record says 10000/);
    appendFileSync(folder.layerFile, 'ab');
    assertOneProblem(await verify(folder.path), /has 10001 bytes at sha256\/.*; the record says 10000/);
  });

  it('finds that a file is gone', { skip }, async () => {
    await using folder = await filledFolder();
    rmSync(folder.layerFile);
    assertOneProblem(await verify(folder.path), /^Blob sha256:.* is missing: there are no bytes at sha256\//);
  });

  it('finds a manifest that was changed in the database, and one that is gone from it', { skip }, async () => {
    await using folder = await filledFolder();
    const { digest, bytes } = folder.image.manifest;
    const changed = Buffer.from(bytes.toString().replace('amd64', 'arm64').replace('"size":', '"size": '));
    changeDatabase(folder.path, 'update manifests set bytes = ?', changed);
    const named = `^Manifest ${digest} of repository \\d+ is`;
    assertOneProblem(await verify(folder.path), new RegExp(`${named} damaged: it hashes to sha256:`));
    changeDatabase(folder.path, 'delete from manifests');
    assertOneProblem(await verify(folder.path), new RegExp(`${named} missing: the database has no bytes for it`));
  });

  it('finds a layer that an image uses and the repository does not have', { skip }, async () => {
    await using folder = await filledFolder();
    const { digest } = folder.image.layers[0]!;
    changeDatabase(folder.path, 'delete from layers where digest = ?', digest);
    const expected = `^Image ${folder.image.manifest.digest} of repository \\d+ uses layer ${digest}, which`;
    assertOneProblem(await verify(folder.path), new RegExp(expected));
  });

  it('mentions files that no record names, which are no harm', { skip }, async () => {
    await using folder = await filledFolder();
    const orphan = folder.layerFile.replace(
      /[^/]*$/,
      `${hexOf(folder.image.layers[0]!.digest)}.${crypto.randomUUID()}`,
    );
    writeFileSync(orphan, 'what a crash left');
    const young = await verify(folder.path);
    assert.match(young.stdout, /: all is well\.\n$/);
    const old = await verify(folder.path, '--orphan-seconds', '0');
    assert.match(old.stdout, /: all is well\. 1 remains of crashes lie about; `gantry garbage` takes them\.\n$/);
    assert.deepEqual([young.code, old.code], [0, 0]);

    const words = ['garbage', '--data', folder.path, '--orphan-seconds', '0'];
    await runAny([pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words]);
    assert.throws(() => statSync(orphan), /ENOENT/);
    assert.match((await verify(folder.path, '--orphan-seconds', '0')).stdout, /: all is well\.\n$/);
  });
});
