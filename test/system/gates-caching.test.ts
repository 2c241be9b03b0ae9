import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { cachingWorld, recorded } from '../support/caching-world.ts';
import { debianRecords } from '../support/debian-facts.ts';
import { DEBIAN_FILES, imageOfFiles } from '../support/scanned-images.ts';
import { eventually } from './access-server.ts';
import { gantryOn } from './gantry-command.ts';

describe('a gate before a repository of a pull-through cache', () => {
  it('refuses what was never scanned while it comes, and gives it once its scan has completed', async () => {
    await using world = await cachingWorld();
    const { ecr, server, upstream } = world;
    const gantry = gantryOn(server.data);
    const file = join(server.data, 'records.json');
    await writeFile(file, JSON.stringify(debianRecords()));
    await gantry('vulndb', 'import', file);
    const repositoryName = 'hub/app';
    await ecr.createRepository({ repositoryName, imageScanningConfiguration: { scanOnPush: true } });
    await gantry('gate', 'set', repositoryName, '--severity', 'CRITICAL');
    const [image, other] = [imageOfFiles([DEBIAN_FILES]), imageOfFiles([DEBIAN_FILES], 'other')];
    upstream.add('app', image, 'v1');
    upstream.add('app', other, 'v2');
    const ask = async (reference: string) => (await world.get(`${repositoryName}/manifests/${reference}`)).status;
    assert.equal(await ask('v1'), 200);
    await recorded(world, repositoryName, image.manifest.digest);
    await gantry('gate', 'set', repositoryName, '--scanned', '--severity', 'CRITICAL');
    const unscanned = imageOfFiles([DEBIAN_FILES], 'unscanned');
    await ecr.putImageScanningConfiguration({ repositoryName, imageScanningConfiguration: { scanOnPush: false } });
    upstream.add('app', unscanned, 'unscanned');
    await eventually(() => ask('unscanned'), 403);
    const imageIds = [{ imageTag: 'unscanned' }];
    const { failures } = await ecr.batchGetImage({ repositoryName, imageIds });
    assert.equal(failures?.[0]?.failureCode, 'ImageInaccessible');
    await recorded(world, repositoryName, unscanned.manifest.digest);
    await ecr.putImageScanningConfiguration({ repositoryName, imageScanningConfiguration: { scanOnPush: true } });
    await eventually(() => ask('v2'), 200);
    await eventually(() => ask(image.manifest.digest), 200);
    await gantry('gate', 'set', repositoryName, '--severity', 'LOW');
    await eventually(() => ask('v2'), 403);
    const got = await ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'v1' }, { imageTag: 'none' }] });
    assert.deepEqual(got.failures?.map(({ failureCode }) => failureCode).sort(), [
      'ImageInaccessible',
      'ImageNotFound',
    ]);
  });
});
