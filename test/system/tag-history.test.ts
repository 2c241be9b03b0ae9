import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
import { http } from '../support/http.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient } from './aws-client.ts';
import { type Gantry, gantryOn, refusalOn } from './gantry-command.ts';

describe('gantry tag, beside a running server', () => {
  let server: RunningServer;
  let ecr: ECR;
  let gantry: Gantry;
  let refusal: Gantry;

  before(async () => {
    server = await startServer();
    ecr = ecrClient(server.url);
    gantry = gantryOn(server.data);
    refusal = refusalOn(server.data);
  });
  after(() => server[Symbol.asyncDispose]());

  const pull = (repositoryName: string, reference: string) =>
    http(`${server.url}/v2/${repositoryName}/manifests/${reference}`);
  const pushed = async (repositoryName: string, tag: string) => {
    const image = randomImage([100]);
    await pushImage(server.url, repositoryName, tag, image);
    return image;
  };

  it('tells what a tag was on, and puts it back and forth', async () => {
    const name = 'history/moved';
    const [first, second] = [await pushed(name, 'v1'), await pushed(name, 'v1')];
    const told = await gantry('tag', 'history', name, 'v1');
    assert.ok(told.startsWith(`Tag v1 is on ${second.manifest.digest}.\nWHEN `), told);
    const rows = told.split('\n').slice(2, 4);
    const row = (digest: string) =>
      new RegExp(
        `^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d  put on  ${digest}  there  push  arn:aws:iam::000000000000:\\S+$`,
      );
    assert.match(rows[0]!, row(second.manifest.digest));
    assert.match(rows[1]!, row(first.manifest.digest));
    const one = `Tag v1 is on ${first.manifest.digest} again; it was on ${second.manifest.digest}.\n`;
    assert.equal(await gantry('tag', 'restore', name, 'v1'), one);
    assert.deepEqual((await pull(name, 'v1')).body, first.manifest.bytes);
    await gantry('tag', 'restore', name, 'v1', '--to', second.manifest.digest);
    assert.deepEqual((await pull(name, 'v1')).body, second.manifest.bytes);
    const again = await gantry('tag', 'restore', name, 'v1', '--to', second.manifest.digest);
    assert.equal(again, `Tag v1 is on ${second.manifest.digest} already; nothing was done.\n`);
    const { changes } = JSON.parse(await gantry('tag', 'history', name, 'v1', '--json', '--limit', '1'));
    assert.deepEqual([changes.length, changes[0].cause], [1, 'restore']);
    assert.match(changes[0].principal, /^operator:/);
    assert.match(await gantry('tag', 'history', name, 'v1', '--limit', '1'), /Older changes are left out/);
  });

  it('goes back to a moment', async () => {
    const name = 'history/moment';
    const first = await pushed(name, 'v1');
    const at = new Date().toISOString();
    while (Date.now() <= Date.parse(at)) await new Promise(setImmediate);
    await pushed(name, 'v1');
    await gantry('tag', 'restore', name, 'v1', '--at', at);
    assert.deepEqual((await pull(name, 'v1')).body, first.manifest.bytes);
    const early = await refusal('tag', 'restore', name, 'v1', '--at', '13d');
    assert.match(early, /^gantry: The tag 'v1' in the repository .* cannot be restored: there was no such tag at /);
    assert.match(await refusal('tag', 'restore', name, 'v1', '--at', '15d'), / is forgotten\n$/);
  });

  it('brings a deleted image back, which nothing on the wire shows till then', async () => {
    const repositoryName = 'history/deleted';
    const image = await pushed(repositoryName, 'v1');
    const { digest: imageDigest } = image.manifest;
    await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest }] });
    assert.deepEqual((await ecr.listImages({ repositoryName, filter: { imageStatus: 'ANY' } })).imageIds, []);
    assert.equal((await pull(repositoryName, imageDigest)).status, 404);
    await gantry('garbage');
    assert.match(
      await gantry('tag', 'history', repositoryName, 'v1'),
      /taken from {2}sha256:\w+ {2}deleted, kept until /,
    );
    assert.match(await gantry('tag', 'deleted', repositoryName), new RegExp(`  ${imageDigest}  v1    delete  arn:`));
    const restored = await gantry('tag', 'restore', repositoryName, 'v1');
    assert.equal(
      restored,
      `Tag v1 is on ${imageDigest} again; there was no such tag.\nBrought back 1 deleted image:\n  ${imageDigest}\nTags put on them: v1\n`,
    );
    await gantry('garbage');
    assert.deepEqual((await pull(repositoryName, 'v1')).body, image.manifest.bytes);
    for (const { digest, bytes } of [image.config, ...image.layers]) {
      assert.deepEqual((await http(`${server.url}/v2/${repositoryName}/blobs/${digest}`)).body, bytes);
    }
    assert.match(await gantry('verify'), /all is well/);
    assert.match(await gantry('tag', 'deleted', repositoryName), / has no deleted images that could be brought back/);
  });

  it('brings an image back by its digest, with its tags', async () => {
    const repositoryName = 'history/undelete';
    const { manifest } = await pushed(repositoryName, 'v1');
    await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest: manifest.digest }] });
    const { tags, images } = JSON.parse(await gantry('tag', 'undelete', repositoryName, manifest.digest, '--json'));
    assert.deepEqual([tags, images], [['v1'], [manifest.digest]]);
    assert.equal((await pull(repositoryName, 'v1')).status, 200);
    const again = await gantry('tag', 'undelete', repositoryName, manifest.digest);
    assert.equal(again, `Image ${manifest.digest} is there; nothing was done.\n`);
  });

  it('writes to the audit trail what it did', async () => {
    const name = 'history/audited';
    await pushed(name, 'v1');
    const { manifest } = await pushed(name, 'v1');
    await gantry('tag', 'restore', name, 'v1');
    await ecr.batchDeleteImage({ repositoryName: name, imageIds: [{ imageDigest: manifest.digest }] });
    await gantry('tag', 'undelete', name, manifest.digest);
    const lines = (await readFile(join(server.data, 'audit.jsonl'), 'utf8')).trim().split('\n');
    const ours = lines
      .map((line) => JSON.parse(line))
      .filter(({ requestParameters }) => requestParameters.repositoryName === name);
    assert.deepEqual(
      ours.map(({ eventSource, eventName }) => [eventSource, eventName]),
      [
        ['ecr.amazonaws.com', 'RestoreTag'],
        ['ecr.amazonaws.com', 'RestoreImage'],
      ],
    );
    assert.match(ours[0].userIdentity.userName, /^operator:/);
  });

  it('says in words what cannot be done', async () => {
    const name = 'history/words';
    const { manifest } = await pushed(name, 'v1');
    assert.match(
      await refusal('tag', 'history', name, 'nobody'),
      /^gantry: Repository history\/words has no tag nobody, and had none since /,
    );
    assert.match(
      await refusal('tag', 'history', 'nowhere', 'v1'),
      /'nowhere' does not exist .*--account and --region name another/,
    );
    assert.match(await refusal('tag', 'deleted', name, '--account', '111122223333'), /with id '111122223333'/);
    assert.match(await refusal('tag', 'restore', name, 'v1'), /is not known to have been on another image since /);
    assert.match(await refusal('tag', 'restore', name, 'v1', '--to', 'v2'), /must be a sha256 or sha512 digest/);
    assert.match(
      await refusal('tag', 'restore', name, 'v1', '--to', manifest.digest, '--at', '1h'),
      /give one of them/,
    );
    assert.match(await refusal('tag', 'restore', name, 'v1', '--at', 'noon'), /--at must be/);
    assert.match(
      await refusal('tag', 'history', name, 'v1', '--limit', 'all'),
      /--limit must be a number from 1 to 1000/,
    );
    await ecr.putImageTagMutability({ repositoryName: name, imageTagMutability: 'IMMUTABLE' });
    const other = await pushed(name, 'v2');
    assert.match(
      await refusal('tag', 'restore', name, 'v1', '--to', other.manifest.digest),
      /^gantry: The image tag 'v1' already exists in the 'history\/words' repository and cannot be overwritten because the tag is immutable\.\n$/,
    );
  });
});
