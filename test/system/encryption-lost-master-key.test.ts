import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { needsFolder } from '../support/cluster-mode.ts';
import { http } from '../support/http.ts';
import { type Blob, blobOf, pushBlob, pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { ecrClient, uploadParts } from './aws-client.ts';
import { gantryOn } from './gantry-command.ts';
import { until } from './until.ts';

const skip = needsFolder('the store of these tests encrypts under no master key');

it('layers whose master key is lost are whole again, wherever they are, once one client has pushed them again', {
  skip,
}, async () => {
  await using folder = await temporaryFolder();
  const [file, data] = [join(folder.path, 'master.key'), join(folder.path, 'data')];
  const newKey = () => writeFile(file, randomBytes(32).toString('base64'), { mode: 0o600 });
  const args = ['--master-key-file', file];
  const image = randomImage([70_000]);
  const [first = blobOf('')] = image.layers;
  const [byParts, never] = [blobOf(randomBytes(5000)), blobOf(randomBytes(100))];
  await newKey();
  {
    await using server = await startServer({ data, args });
    for (const name of ['lost/a', 'lost/b']) await pushImage(server.url, name, 'v1', image);
    for (const blob of [byParts, never]) assert.equal((await pushBlob(server.url, 'lost/a', blob)).status, 201);
  }
  await newKey();
  await using server = await startServer({ data, args });
  const ecr = ecrClient(server.url);
  const [gantry, ask] = [gantryOn(data), asking(server)];

  assert.deepEqual(await ask('lost/a', first), { head: 404, get: 400, listed: 'UNAVAILABLE' });
  const mount = `${server.url}/v2/lost/c/blobs/uploads/?mount=${first.digest}&from=lost/a`;
  await ecr.createRepository({ repositoryName: 'lost/c' });
  assert.equal((await http(mount, { method: 'POST' })).status, 202);
  await pushImage(server.url, 'lost/a', 'v1', image);
  const uploadId = await uploadParts(ecr, 'lost/a', byParts.bytes);
  await ecr.completeLayerUpload({ repositoryName: 'lost/a', uploadId, layerDigests: [byParts.digest] });

  for (const name of ['lost/a', 'lost/b']) {
    for (const { digest, bytes } of [image.config, first]) {
      assert.deepEqual((await http(`${server.url}/v2/${name}/blobs/${digest}`)).body, bytes, name);
    }
  }
  assert.deepEqual(await ask('lost/a', byParts), { head: 200, get: 200, listed: 'AVAILABLE' });
  assert.deepEqual(await ask('lost/a', never), { head: 404, get: 400, listed: 'UNAVAILABLE' });
  await gantry('garbage', ...args, '--orphan-seconds', '0');
  const verified = await gantry('verify', ...args, '--orphan-seconds', '0');
  assert.match(
    verified,
    /^Not verified: 1 blobs of lost\/a \(000000000000\/us-east-1\): .* not among the master keys of/,
  );
  assert.match(verified, /^Verified 4 blobs .*: all is well, 1 blobs not verified without their key\.$/m);
});

it('a cached layer whose master key is lost comes anew when it is pulled', { skip }, async () => {
  await using folder = await temporaryFolder();
  const [file, data] = [join(folder.path, 'master.key'), join(folder.path, 'data')];
  const newKey = () => writeFile(file, randomBytes(32).toString('base64'), { mode: 0o600 });
  const args = ['--master-key-file', file, '--allow-private-upstreams'];
  const image = randomImage([70_000]);
  const [layer = blobOf('')] = image.layers;
  await using upstream = await startServer();
  await pushImage(upstream.url, 'app', 'v1', image);
  const pulled = async ({ url }: RunningServer) => (await http(`${url}/v2/hub/app/blobs/${layer.digest}`)).body;
  await newKey();
  {
    await using server = await startServer({ data, args });
    const rule = { ecrRepositoryPrefix: 'hub', upstreamRegistryUrl: upstream.url };
    await ecrClient(server.url).createPullThroughCacheRule(rule);
    assert.equal((await http(`${server.url}/v2/hub/app/manifests/v1`)).status, 200);
    assert.deepEqual(await pulled(server), layer.bytes);
    const known = () => asking(server)('hub/app', layer);
    await until(async () => (await known()).listed === 'AVAILABLE');
  }
  await newKey();
  await using server = await startServer({ data, args });
  assert.deepEqual(await pulled(server), layer.bytes);
  await until(async () => (await asking(server)('hub/app', layer)).head === 200);
  assert.equal(await upstream.stop(), 0);
  assert.deepEqual(await pulled(server), layer.bytes);
});

/** What a server says of a layer to who looks, reads, and asks by the API of ECR. */
function asking({ url }: RunningServer) {
  return async (repositoryName: string, { digest }: Blob) => {
    const place = `${url}/v2/${repositoryName}/blobs/${digest}`;
    const asked = { repositoryName, layerDigests: [digest] };
    const { layers } = await ecrClient(url).batchCheckLayerAvailability(asked);
    return {
      head: (await http(place, { method: 'HEAD' })).status,
      get: (await http(place)).status,
      listed: layers?.[0]?.layerAvailability,
    };
  };
}
