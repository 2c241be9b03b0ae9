import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type CachingWorld,
  cachingWorld,
  eventually,
  indexOf,
  pull,
  randomImage,
  recorded,
} from '../support/caching-world.ts';
import { http } from '../support/http.ts';
import { digestOf, type Image, mediaTypes, pushImage } from '../support/images.ts';
import { startServer } from '../support/server.ts';
import { ecrClient } from './aws-client.ts';

const MIB = 1024 * 1024;

describe('pull-through cache', () => {
  let world: CachingWorld;
  before(async () => {
    world = await cachingWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  it('gives an image that is not here as it comes, and has it afterwards', async () => {
    const image = randomImage([3 * MIB, 70_000, 1]);
    world.upstream.add('team/app', image, 'v1');
    const [manifest] = await pull(world, 'hub/team/app', 'v1');
    assert.ok(manifest?.equals(image.manifest.bytes));
    const detail = await recorded(world, 'hub/team/app', image.manifest.digest);
    assert.deepEqual(detail.imageTags, ['v1']);
    const before = world.upstream.asked.length;
    await pull(world, 'hub/team/app', 'v1');
    await pull(world, 'hub/team/app', image.manifest.digest);
    assert.equal(world.upstream.asked.length, before);
  });

  it('asks the upstream once, however many clients want the same at once', async () => {
    const image = randomImage([8 * MIB, 2 * MIB]);
    world.upstream.add('crowd', image, 'latest');
    await Promise.all(Array.from({ length: 50 }, () => pull(world, 'hub/crowd', 'latest')));
    await recorded(world, 'hub/crowd', image.manifest.digest);
    assert.equal(world.upstream.count(/^GET .*\/crowd\/manifests\/latest/), 1);
    for (const { digest } of [image.config, ...image.layers]) {
      assert.equal(world.upstream.count(new RegExp(`^GET .*/crowd/blobs/${digest}`)), 1);
    }
    assert.equal(world.upstream.count(/\/crowd\//), 4);
  });

  it('brings all images that an index lists, also those that nobody pulled', async () => {
    const [amd, arm] = [randomImage([100_000]), randomImage([200_000])];
    const index = indexOf([amd, arm]);
    for (const image of [amd, arm]) world.upstream.add('multi', image);
    world.upstream.addManifest('multi', index, mediaTypes.index, 'v2');
    const answer = await world.get('hub/multi/manifests/v2');
    assert.ok(answer.body.equals(index.bytes));
    assert.equal(answer.headers['content-type'], mediaTypes.index);
    await pull(world, 'hub/multi', amd.manifest.digest);
    const detail = await recorded(world, 'hub/multi', index.digest);
    assert.deepEqual(detail.imageTags, ['v2']);
    const before = world.upstream.asked.length;
    await pull(world, 'hub/multi', arm.manifest.digest);
    assert.equal(world.upstream.asked.length, before);
    assert.equal(world.upstream.count(new RegExp(`^GET .*/multi/manifests/${amd.manifest.digest}`)), 1);
  });

  it('answers HEAD before anything is fetched but the manifest', async () => {
    const image = randomImage([50_000]);
    world.upstream.add('looked', image, 'a');
    const head = (path: string) => http(`${world.server.url}/v2/${path}`, { method: 'HEAD' });
    const manifest = await head('hub/looked/manifests/a');
    assert.equal(manifest.headers['docker-content-digest'], image.manifest.digest);
    const layer = await head(`hub/looked/blobs/${image.layers[0]?.digest}`);
    assert.deepEqual([layer.status, layer.headers['content-length']], [200, '50000']);
  });

  it('gives ranges of what is on its way', async () => {
    const image = randomImage([2 * MIB]);
    const [layer] = image.layers;
    world.upstream.add('ranged', image, 'a');
    await world.get('hub/ranged/manifests/a');
    const ranges = ['bytes=0-9', 'bytes=1000000-1500000', `bytes=${2 * MIB - 5}-`, 'bytes=-7'];
    const answers = await Promise.all(ranges.map((Range) => world.get(`hub/ranged/blobs/${layer?.digest}`, { Range })));
    const expected: [number, number][] = [
      [0, 10],
      [1_000_000, 1_500_001],
      [2 * MIB - 5, 2 * MIB],
      [2 * MIB - 7, 2 * MIB],
    ];
    for (const [at, [first, end]] of expected.entries()) {
      assert.equal(answers[at]?.status, 206);
      assert.ok(answers[at]?.body.equals(layer!.bytes.subarray(first, end)), String(ranges[at]));
    }
  });

  it('serves the API with the same', async () => {
    const image = randomImage([123_456]);
    world.upstream.add('api', image, 'v1');
    const repositoryName = 'hub/api';
    const missing = { imageTag: 'none' };
    const got = await world.ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'v1' }, missing, {}] });
    assert.deepEqual(
      got.images?.map(({ imageId }) => imageId),
      [{ imageDigest: image.manifest.digest, imageTag: 'v1' }],
    );
    assert.equal(got.images?.[0]?.imageManifest, image.manifest.bytes.toString());
    assert.deepEqual(
      got.failures?.map(({ failureCode }) => failureCode),
      ['ImageNotFound', 'MissingDigestAndTag'],
    );
    const [layer] = image.layers;
    const layerDigest = layer!.digest;
    const { layers } = await world.ecr.batchCheckLayerAvailability({ repositoryName, layerDigests: [layerDigest] });
    assert.deepEqual(
      layers?.map(({ layerAvailability, layerSize, mediaType }) => [layerAvailability, layerSize, mediaType]),
      [['AVAILABLE', 123_456, mediaTypes.layer]],
    );
    const { downloadUrl = '' } = await world.ecr.getDownloadUrlForLayer({ repositoryName, layerDigest });
    assert.ok((await http(downloadUrl)).body.equals(layer!.bytes));
    await recorded(world, repositoryName, image.manifest.digest);
    const again = await world.ecr.getDownloadUrlForLayer({ repositoryName, layerDigest });
    assert.ok((await http(again.downloadUrl ?? '')).body.equals(layer!.bytes));
  });

  it('makes a repository as the template says, and none for what is not there', async () => {
    await world.ecr.createRepositoryCreationTemplate({
      prefix: 'hub/templated',
      appliedFor: ['PULL_THROUGH_CACHE'],
      imageTagMutability: 'IMMUTABLE',
    });
    world.upstream.add('templated/app', randomImage(), 'v1');
    await pull(world, 'hub/templated/app', 'v1');
    const names = ['hub/templated/app', 'hub/templated/none'];
    assert.equal((await world.get('hub/templated/none/manifests/v1')).status, 404);
    const described = await Promise.all(
      names.map((name) =>
        world.ecr.describeRepositories({ repositoryNames: [name] }).catch(({ name: error }) => error),
      ),
    );
    assert.equal(described[0].repositories?.[0]?.imageTagMutability, 'IMMUTABLE');
    assert.equal(described[1], 'RepositoryNotFoundException');
  });

  it('lists referrers that are upstream, and brings those that are pulled', async () => {
    const subject = randomImage();
    world.upstream.add('signed', subject, 'v1');
    await pull(world, 'hub/signed', 'v1');
    const signature = referrerOf(subject);
    world.upstream.add('signed', signature);
    const entry = {
      mediaType: mediaTypes.manifest,
      digest: signature.manifest.digest,
      size: signature.manifest.bytes.length,
      artifactType: 'application/vnd.test.signature',
    };
    world.upstream.trouble(/\/referrers\//, (_, response) => {
      response.setHeader('Content-Type', mediaTypes.index);
      response.end(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [entry] }));
    });
    const path = `hub/signed/referrers/${subject.manifest.digest}`;
    assert.deepEqual((await world.get(path)).json().manifests, [entry]);
    const subjectId = { imageDigest: subject.manifest.digest };
    const listed = await world.ecr.listImageReferrers({ repositoryName: 'hub/signed', subjectId });
    assert.deepEqual(
      listed.referrers?.map(({ digest }) => digest),
      [entry.digest],
    );
    await pull(world, 'hub/signed', entry.digest);
    await recorded(world, 'hub/signed', entry.digest);
    assert.deepEqual((await world.get(path)).json().manifests, [entry]);
    world.upstream.trouble(/\/referrers\//, (_, response) => response.writeHead(500).end());
    const other = await world.ecr
      .listImageReferrers({ repositoryName: 'hub/signed', subjectId: { imageDigest: entry.digest } })
      .catch(({ name }) => name);
    assert.equal(other, 'UnableToListUpstreamImageReferrersException');
    world.upstream.trouble(/\/referrers\//, undefined);
  });

  it('leaves what people push here alone', async () => {
    const [theirs, ours] = [randomImage(), randomImage()];
    world.upstream.add('pushed', theirs, 'v1');
    await pull(world, 'hub/pushed', 'v1');
    await recorded(world, 'hub/pushed', theirs.manifest.digest);
    await pushImage(world.server.url, 'hub/pushed', 'own', ours);
    const before = world.upstream.asked.length;
    const [manifest] = await pull(world, 'hub/pushed', 'own');
    assert.ok(manifest?.equals(ours.manifest.bytes));
    assert.equal(world.upstream.asked.length, before);
  });

  it('goes on after kill -9 without being asked', async () => {
    const image = randomImage([4 * MIB]);
    const [layer] = image.layers;
    await using own = await cachingWorld();
    own.upstream.add('killed', image, 'v1');
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    own.upstream.trouble(/^GET .*\/killed\/blobs\//, (_, response) => {
      response.writeHead(200, { 'Content-Length': layer!.bytes.length });
      response.write(layer!.bytes.subarray(0, MIB));
      resolve();
    });
    await own.get('hub/killed/manifests/v1');
    await asked;
    await eventually(async () => ((await isQueued(own)) ? true : undefined));
    await own.server.kill();
    own.upstream.trouble(/^GET .*\/killed\/blobs\//, undefined);
    await using again = await startServer({ data: own.server.data, args: ['--allow-private-upstreams'] });
    const ecr = ecrClient(again.url, { accessKeyId: '000000000000' });
    const detail = await recorded({ ecr }, 'hub/killed', image.manifest.digest);
    assert.deepEqual(detail.imageTags, ['v1']);
  });
});

/** Whether a job for the import has been recorded: it is fetched only for that job. */
async function isQueued({ upstream }: CachingWorld): Promise<boolean> {
  return upstream.count(/\/blobs\//) > 0;
}

function referrerOf(subject: Image): Image {
  const image = randomImage();
  const document = {
    ...JSON.parse(image.manifest.bytes.toString()),
    artifactType: 'application/vnd.test.signature',
    subject: {
      mediaType: subject.mediaType,
      digest: subject.manifest.digest,
      size: subject.manifest.bytes.length,
    },
  };
  const bytes = Buffer.from(JSON.stringify(document));
  return { ...image, manifest: { bytes, digest: digestOf(bytes) } };
}
