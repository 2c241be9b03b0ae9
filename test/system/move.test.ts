import assert from 'node:assert/strict';
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needsFolder } from '../support/cluster-mode.ts';
import { blobOf, descriptor, type Image, mediaTypes, pushImage, randomImage } from '../support/images.ts';
import { call, endUploads, fillRegistry, gantry, refusal, runGantry } from '../support/moving-world.ts';
import { answersOf } from '../support/registry-answers.ts';
import { startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ARGS = ['--lifecycle-interval-seconds', '0'];
const PART_BYTES = 6 * 1024 * 1024;

describe('gantry move, from folder to folder', { skip: needsFolder('it moves folders') }, () => {
  const folders = async () => {
    const folder = await temporaryFolder('gantry-move-');
    const [from, to, archive] = ['from', 'to', 'archive'].map((name) => join(folder.path, name));
    return { folder, from: from!, to: to!, archive: archive! };
  };

  it('carries everything, while the registry is served and with a switch at the end', async () => {
    const { folder, from, to, archive } = await folders();
    await using _ = folder;
    const args = [...ARGS, '--archive-dir', archive];
    await using server = await startServer({ data: from, args });
    const filled = await fillRegistry(server, PART_BYTES);
    const words = ['move', '--to-data', to, '--archive-dir', archive, '--to-archive-dir', join(to, 'archive')];

    assert.match(
      await gantry(from, [...words, '--dry-run']),
      /^From \S+ to \S+:\n {2}\d+ blobs \(.*\n {2}2 unfinished/,
    );
    assert.deepEqual(await readdir(folder.path).then((names) => names.includes('to')), false);
    const ahead = await gantry(from, words);
    assert.match(ahead, /^Copied \d+ blobs \(.*; 0 were there already\.\nTo end the move stop the server/);
    assert.match(await refusal(from, [...words, '--switch']), /A server works on \S+: stop it, then run this again/);
    assert.match(await refusal(to, ['verify']), /on its way here from/);
    await pushImage(server.url, 'team/app', 'late', randomImage([2000]));
    const before = await answersOf(server.url);
    const history = await tagChanges(from);
    assert.equal(await server.stop(), 0);

    const switched = await gantry(from, [...words, '--switch', '--verify', 'full']);
    assert.match(switched, /^Bytes: \d+ blobs, 2 of them \(2\.\d KiB\) copied now\.\nUnfinished uploads: 2 go on/);
    assert.match(await gantry(from, words), /^The registry has moved on/);
    assert.match(await refusal(from, ['verify', '--archive-dir', archive]), /has moved to \S+: start it there/);
    assert.match(await refusal(from, ['serve', '--port', '0', ...args]), /This registry has moved to/);

    await copyFile(join(from, 'access.key'), join(to, 'access.key'));
    const there = [...ARGS, '--archive-dir', join(to, 'archive')];
    await using moved = await startServer({ data: to, args: there });
    assert.deepEqual(await answersOf(moved.url), before);
    assert.deepEqual(await tagChanges(to), history);
    await endUploads(moved.url, filled);
    assert.match(await gantry(to, ['verify', '--archive-dir', join(to, 'archive')]), /all is well/);
  });

  it('is undone: the registry is served again from where it was', async () => {
    const { folder, from, to } = await folders();
    await using _ = folder;
    await using server = await startServer({ data: from });
    await pushImage(server.url, 'team/app', 'v1', randomImage());
    await server.stop();
    assert.match(await refusal(from, ['move', '--undo']), /There is no move from here/);
    await gantry(from, ['move', '--to-data', to, '--switch']);
    assert.match(await gantry(from, ['move', '--undo']), /is served from \S+ again/);
    assert.match(await gantry(from, ['verify']), /all is well/);
    assert.match(await refusal(from, ['move', '--to-data', to]), /holds a registry already/);
  });

  it('copies nothing that is damaged or missing, says so, and leaves the registry where it is', async () => {
    const { folder, from, to } = await folders();
    await using _ = folder;
    await using server = await startServer({ data: from });
    const image = randomImage([3000, 4000]);
    await pushImage(server.url, 'team/app', 'v1', image);
    await server.stop();
    const hex = image.layers[0]!.digest.slice('sha256:'.length);
    const bucket = join(from, 'blobs', 'sha256', hex.slice(0, 2));
    const name = (await readdir(bucket)).find((one) => one.startsWith(hex))!;
    await writeFile(join(bucket, name), Buffer.alloc(3000));
    const { code, stdout } = await runGantry(from, ['move', '--to-data', to, '--switch']);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`^Blob ${image.layers[0]!.digest} of \\S+ is damaged: its 3000 bytes hash to `));
    assert.match(stdout, /1 problems\. The registry is where it was/);
    await writeFile(join(bucket, name), image.layers[0]!.bytes);
    assert.match(await gantry(from, ['move', '--to-data', to, '--switch']), /^Bytes: 3 blobs, 1 of them/);
    assert.match(await gantry(to, ['verify']), /Verified 3 blobs .* all is well/);
  });

  it('makes copies again that went bad before the switch', async () => {
    const { folder, from, to } = await folders();
    await using _ = folder;
    await using server = await startServer({ data: from });
    const image = randomImage([3000, 4000]);
    await pushImage(server.url, 'team/app', 'v1', image);
    await server.stop();
    await gantry(from, ['move', '--to-data', to]);
    const [damaged, gone] = await Promise.all(
      image.layers.map(async ({ digest }) => {
        const hex = digest.slice('sha256:'.length);
        const folderOf = join(to, 'blobs', 'sha256', hex.slice(0, 2));
        return join(folderOf, (await readdir(folderOf)).find((one) => one.startsWith(hex))!);
      }),
    );
    await writeFile(damaged!, Buffer.alloc(3000));
    await writeFile(gone!, Buffer.alloc(1));
    const first = await runGantry(from, ['move', '--to-data', to, '--switch']);
    assert.deepEqual([first.code, /has 1 bytes, not 4000/.test(first.stdout)], [1, true], first.stdout);
    const second = await runGantry(from, ['move', '--to-data', to, '--switch', '--verify', 'full']);
    assert.deepEqual([second.code, /hashes to sha256:/.test(second.stdout)], [1, true], second.stdout);
    assert.match(await gantry(from, ['move', '--to-data', to, '--switch', '--verify', 'full']), /1 of them/);
    assert.match(await gantry(to, ['verify']), /Verified 3 blobs .* all is well/);
  });

  it('keeps encrypted bytes encrypted, under the same keys, and takes them nowhere plain', async () => {
    const { folder, from, to } = await folders();
    await using _ = folder;
    const masterKeyFile = join(folder.path, 'master-key');
    await writeFile(masterKeyFile, `${'ab'.repeat(32)}\n`, { mode: 0o600 });
    const keyed = ['--master-key-file', masterKeyFile];
    await using server = await startServer({ data: from, args: [...ARGS, ...keyed] });
    for (const encryptionType of ['AES256', 'KMS', 'KMS_DSSE']) {
      const repositoryName = `under/${encryptionType.toLowerCase()}`;
      await call(server.url, 'CreateRepository', { repositoryName, encryptionConfiguration: { encryptionType } });
      await pushImage(server.url, repositoryName, 'v1', plainImage());
    }
    const expected = await answersOf(server.url);
    await server.stop();

    assert.match(await refusal(from, ['move', '--to-data', to]), /would keep them plain: give a folder a master key/);
    // Neither side knows of a move that was refused.
    assert.match(await refusal(from, ['move', '--undo']), /There is no move from here/);
    const switched = await gantry(from, ['move', '--to-data', to, ...keyed, '--switch', '--verify', 'full']);
    assert.match(switched, /^Bytes: 6 blobs, 6 of them.*\n.*\n.*\n.*\n.*--master-key-file/);
    const names = await readdir(join(to, 'blobs'), { recursive: true, withFileTypes: true });
    const files = names.filter((one) => one.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    assert.equal(files.length, 6);
    for (const file of files) assert.ok(!(await readFile(file)).includes(PLAIN), file);
    await copyFile(join(from, 'access.key'), join(to, 'access.key'));
    await using moved = await startServer({ data: to, args: [...ARGS, ...keyed] });
    assert.deepEqual(await answersOf(moved.url), expected);
    assert.match(await gantry(to, ['verify', ...keyed]), /Verified 6 blobs .* all is well\./);
  });

  it('refuses what cannot be', async () => {
    const { folder, from, to } = await folders();
    await using _ = folder;
    assert.match(await refusal(from, ['move', '--to-data', to]), /There is no registry in/);
    await using one = await startServer({ data: from });
    await one.stop();
    await using other = await startServer({ data: to });
    await pushImage(other.url, 'team/app', 'v1', randomImage());
    assert.match(await refusal(from, ['move', '--to-data', to]), /A server works on/);
    await other.stop();
    assert.match(await refusal(from, ['move', '--to-data', to]), /is not empty: there are rows in its table/);
    assert.match(await refusal(from, ['move', '--to-data', from]), /nothing is to move/);
    assert.match(await refusal(from, ['move']), /Say where the registry is to go/);
    assert.match(await refusal(from, ['move', '--to-blobs', 's3:/x']), /--to-blobs \(GANTRY_TO_BLOBS\) must be/);
    assert.match(
      await refusal(from, ['move', '--to-database', 'x']),
      /--to-database \(GANTRY_TO_DATABASE_URL\) must be/,
    );
    assert.match(
      await refusal(from, ['move', '--to-archive-dir', 'x', '--to-blobs', 's3://bucket']),
      /give it with --to-data/,
    );
    const elsewhere = join(folder.path, 'elsewhere');
    assert.match(await refusal(from, ['move', '--to-data', elsewhere, '--verify', 'some']), /--verify must be/);
    assert.match(await refusal(from, ['move', '--to-data', elsewhere, '--concurrency', '0']), /--concurrency must be/);
    assert.match(
      await refusal(from, ['move', '--to-database', 'postgres://127.0.0.1:1/none']),
      /127\.0\.0\.1:1\/none: /,
    );
  });
});

const PLAIN = 'what nobody else may read';

/** Its layer and its config hold the same words, which must be in no file. */
function plainImage(): Image {
  const layer = blobOf(PLAIN.repeat(5000));
  const config = blobOf(JSON.stringify({ architecture: 'amd64', os: 'linux', author: PLAIN }));
  const layers = [descriptor(mediaTypes.layer, layer)];
  const content = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(mediaTypes.config, config),
    layers,
  };
  return { layers: [layer], config, manifest: blobOf(JSON.stringify(content)), mediaType: mediaTypes.manifest };
}

async function tagChanges(data: string): Promise<unknown[]> {
  return JSON.parse(await gantry(data, ['tag', 'history', 'team/app', 'v1', '--json'])).changes;
}
