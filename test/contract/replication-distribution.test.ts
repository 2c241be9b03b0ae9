import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
import type { UpstreamRegistry } from '../../src/core/upstreams/upstream.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { createUpstreamRegistry } from '../../src/drivers/upstreams/upstream-registry.ts';
import { blobOf, descriptor, mediaTypes, pushImage, pushManifest, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { ecrClient } from '../system/aws-client.ts';
import { gantryOn, refusalOn } from '../system/gantry-command.ts';
import { addPeer, remote, replicated, replicateTo, until } from '../system/replication-world.ts';
import { type Distribution, startDistribution, whyNoDistribution } from '../upstreams/distribution.ts';
import { digestFrom } from '../upstreams/sources.ts';

describe('replication to distribution with a token service', { skip: whyNoDistribution() ?? false }, () => {
  let registry: Distribution;
  let server: RunningServer;
  let folder: TemporaryFolder;
  let there: UpstreamRegistry;
  let ecr: ECR;

  const login = async (password: string) => {
    const file = join(folder.path, 'password');
    await writeFile(file, password);
    return ['--kind', 'oci', '--username', registry.credentials.username, '--password-file', file];
  };
  before(async () => {
    [registry, server, folder] = await Promise.all([startDistribution(), startServer(), temporaryFolder()]);
    there = createUpstreamRegistry({ url: registry.url }, { allowPrivate: true });
    ecr = ecrClient(server.url);
    await replicateTo(ecr, remote);
  });
  after(async () => {
    for (const each of [there, server, registry, folder]) await each?.[Symbol.asyncDispose]();
  });

  it('says what is wrong with a password, before it is used and after', async () => {
    await addPeer(server, registry, await login('wrong'));
    const place = ['--account', remote.registryId, '--region', remote.region];
    const said = await refusalOn(server.data)('peer', 'test', ...place);
    assert.match(said, /cannot be used: .*401/);
    await pushImage(server.url, 'early/app', 'v1', randomImage());
    const expected = [{ ...remote, status: 'FAILED', failureCode: 'DestinationAuthenticationFailed' }];
    assert.deepEqual(await replicated(ecr, 'early/app', 'v1'), expected);
    await addPeer(server, registry, [...(await login(registry.credentials.password)), '--replace']);
    assert.match(await gantryOn(server.data)('peer', 'test', ...place), /answers and takes the credentials/);
    // What failed is tried again, and nobody has to push it once more.
    const ask = async () => (await replicated(ecr, 'early/app', 'v1'))[0]?.status;
    assert.equal(await until(ask, (status) => status === 'COMPLETE'), 'COMPLETE');
  });

  it('copies an index with what it lists, byte for byte, and mounts what is there', async () => {
    const images = [randomImage([100_000]), randomImage([10, 20_000])];
    for (const image of images) await pushImage(server.url, 'far/app', image.manifest.digest, image);
    const index = blobOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.index,
        manifests: images.map(({ manifest }) => descriptor(mediaTypes.manifest, manifest)),
      }),
    );
    assert.equal((await pushManifest(server.url, 'far/app', 'v1', index, mediaTypes.index)).status, 201);
    assert.deepEqual(await replicated(ecr, 'far/app', 'v1'), [{ ...remote, status: 'COMPLETE' }]);
    const found = await there.getManifest('far/app', 'v1');
    assert.deepEqual(found, { digest: index.digest, mediaType: mediaTypes.index, content: index.bytes });
    for (const layer of images.flatMap(({ layers }) => layers)) {
      await using blob = await there.openBlob('far/app', layer.digest as Digest);
      assert.equal((await digestFrom(blob)).digest, layer.digest);
    }
    const [image] = images;
    await pushImage(server.url, 'far/other', 'v1', image!);
    assert.deepEqual(await replicated(ecr, 'far/other', 'v1'), [{ ...remote, status: 'COMPLETE' }]);
    assert.ok(registry.scopes.includes('repository:far/app:pull'));
    assert.equal((await there.headManifest('far/other', 'v1'))?.digest, image?.manifest.digest);
  });
});
