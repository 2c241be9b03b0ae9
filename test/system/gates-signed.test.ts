import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needsFolder } from '../support/cluster-mode.ts';
import { http } from '../support/http.ts';
import { descriptor, type Image, mediaTypes, pushImage, randomImage } from '../support/images.ts';
import { startServer } from '../support/server.ts';
import { storedFiles } from '../support/stored-files.ts';
import { eventually } from './access-server.ts';
import { ecrClient } from './aws-client.ts';
import { gantryOn, refusalOn } from './gantry-command.ts';

const NOTARY = 'application/vnd.cncf.notary.signature';

describe('a gate that asks for a signature', () => {
  it('refuses what the profile has not signed, and what its signature was taken from', async () => {
    await using server = await startServer();
    const ecr = ecrClient(server.url);
    const gantry = gantryOn(server.data);
    const repositoryName = 'app';
    const pull = async (reference: string) =>
      (await http(`${server.url}/v2/${repositoryName}/manifests/${reference}`)).status;
    const push = async (tag: string, image: Image = randomImage([100])) => {
      await pushImage(server.url, repositoryName, tag, image);
      return image.manifest.digest;
    };
    const configure = (signingProfileArn: string) =>
      ecr.putSigningConfiguration({ signingConfiguration: { rules: [{ signingProfileArn }] } });
    await ecr.createRepository({ repositoryName });
    const child = randomImage([100]);
    await push('before', child);
    const index = {
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [descriptor(mediaTypes.manifest, child.manifest)],
    };
    const putIndex = (tag: string) =>
      ecr.putImage({
        repositoryName,
        imageTag: tag,
        imageManifest: JSON.stringify({ ...index, annotations: { tag } }),
      });
    await putIndex('list-before');
    const { arn } = JSON.parse(await gantry('signer', 'create', 'release', '--json'));
    const other = JSON.parse(await gantry('signer', 'create', 'other', '--json'));
    await configure(other.arn);
    await push('by-other');
    await configure(arn);
    const digest = await push('v1');

    assert.match(await refusalOn(server.data)('gate', 'set', 'app', '--signed-by', 'nobody'), /no signer profile/);
    await gantry('gate', 'set', 'app', '--signed-by', 'release');
    await eventually(() => pull('before'), 403);
    await eventually(() => pull('v1'), 200);
    assert.deepEqual([await pull('by-other'), await pull('list-before')], [403, 403]);
    assert.equal(await pull(child.manifest.digest), 403);
    await putIndex('list');
    await eventually(() => pull('list'), 200);
    assert.equal(await pull(child.manifest.digest), 200, 'what is signed lists it');

    const { referrers = [] } = await ecr.listImageReferrers({ repositoryName, subjectId: { imageDigest: digest } });
    const [signature] = referrers.filter(({ artifactType }) => artifactType === NOTARY);
    assert.equal(await pull(signature?.digest ?? ''), 200, 'signatures are there to judge by');
    await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest: signature?.digest ?? '' }] });
    assert.equal(await pull('v1'), 403);
    const { images } = JSON.parse(await gantry('gate', 'check', 'app:v1', '--json'));
    assert.deepEqual(images[0].reasons, [`it is not signed by ${arn}: its signature is no longer there`]);
  });

  const skip = needsFolder('a byte is altered in a file');
  it('refuses an image when a byte of the signature was altered on disk', { skip }, async () => {
    await using server = await startServer();
    const ecr = ecrClient(server.url);
    const gantry = gantryOn(server.data);
    const repositoryName = 'app';
    const pull = async (tag: string) => http(`${server.url}/v2/${repositoryName}/manifests/${tag}`);
    await ecr.createRepository({ repositoryName });
    const { arn } = JSON.parse(await gantry('signer', 'create', 'release', '--json'));
    await ecr.putSigningConfiguration({ signingConfiguration: { rules: [{ signingProfileArn: arn }] } });
    const images = { altered: randomImage([100]), whole: randomImage([100]) };
    for (const [tag, image] of Object.entries(images)) await pushImage(server.url, repositoryName, tag, image);
    const subjectId = { imageDigest: images.altered.manifest.digest };
    const signatures = async () => (await ecr.listImageReferrers({ repositoryName, subjectId })).referrers ?? [];
    await eventually(async () => (await signatures()).length, 1);

    const imageIds = [{ imageDigest: (await signatures())[0]?.digest }];
    const { images: [found] = [] } = await ecr.batchGetImage({ repositoryName, imageIds });
    const { layers } = JSON.parse(found?.imageManifest ?? '');
    const hex: string = layers[0].digest.slice('sha256:'.length);
    const [file] = (await storedFiles(server.data)).filter(({ name }) => name.includes(hex));
    const path = join(server.data, file?.name ?? '');
    const bytes = await readFile(path);
    bytes[bytes.length >> 1]! ^= 1;
    await chmod(path, 0o600);
    await writeFile(path, bytes);

    await gantry('gate', 'set', 'app', '--signed-by', 'release');
    await eventually(async () => (await pull('altered')).status, 403);
    assert.match((await pull('altered')).text(), /is not signed by .*: its signature was altered/);
    await eventually(async () => (await pull('whole')).status, 200);
  });
});
