import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { StorageFullError } from '../../src/core/blob-store.ts';
import { importImageJob } from '../../src/jobs/cache-jobs.ts';
import { blobOf, randomImage } from '../support/images.ts';
import { type ScriptedRegistry, startScripted } from '../support/scripted-registry.ts';
import { type CoreUnderTest, call, coreUnderTest, kindOf, pushLayer, readLayer, registry } from './core-under-test.ts';
import { doDueJobs } from './due-jobs.ts';

const DAY = 24 * 3600;

describe('what the pull-through cache guards', () => {
  let core: CoreUnderTest;
  let upstream: ScriptedRegistry;
  beforeEach(async () => {
    upstream = await startScripted();
    core = await coreUnderTest();
    await core.cacheRules.create(call, { prefix: 'hub', upstreamUrl: upstream.url });
  });
  afterEach(async () => {
    await core[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  const doJobs = async () => {
    // A job is queued behind the answer.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const handlers = { 'import-image': importImageJob(core.caching) };
    return (await doDueJobs(core, handlers)).map(({ outcome }) => outcome);
  };
  const get = (tag: string, repositoryName = 'hub/app') =>
    core.images.getManifest(call, { repositoryName, reference: { tag } });
  const digestOfTag = async (tag: string) => (await get(tag)).digest;
  const cached = async (tag = 'v1') => {
    const image = randomImage();
    upstream.add('app', image, tag);
    await get(tag);
    assert.deepEqual(await doJobs(), ['done']);
    return image;
  };

  it('takes a push whose client was told of a layer that is upstream alone', async () => {
    await cached();
    const base = randomImage([3000]);
    const own = randomImage();
    const [layer] = base.layers;
    upstream.add('app', base, 'base');
    for (const { bytes } of [own.config, ...own.layers]) await pushLayer(core, 'hub/app', bytes);
    const { bytes } = await core.layers.open(call, { repositoryName: 'hub/app', digest: layer!.digest });
    assert.equal(bytes, 3000);
    const document = JSON.parse(String(own.manifest.bytes));
    const size = { digest: layer!.digest, size: 3000 };
    document.layers.push({ ...document.layers[0], ...size });
    const input = { repositoryName: 'hub/app', manifest: Buffer.from(JSON.stringify(document)), tag: 'mine' };
    await core.images.put(call, input);
    assert.deepEqual(await readLayer(core, 'hub/app', layer!.digest), layer!.bytes);
    document.layers.push({ ...document.layers[0], digest: `sha256:${'0'.repeat(64)}` });
    const lacking = { ...input, manifest: Buffer.from(JSON.stringify(document)) };
    assert.equal(await kindOf(core.images.put(call, lacking)), 'layers-not-found');
  });

  it('gives no layer of another repository that a manifest names and the upstream does not have', async () => {
    const image = randomImage([1000]);
    const [layer] = image.layers;
    await pushLayer(core, 'one', layer!.bytes);
    upstream.add('app', image, 'v1');
    upstream.trouble(new RegExp(`blobs/${layer!.digest}`), (_, response) => response.writeHead(404).end());
    await get('v1');
    assert.equal(await readLayer(core, 'hub/app', layer!.digest).catch(() => undefined), undefined);
    assert.deepEqual(await doJobs(), ['given-up']);
    assert.equal(await readLayer(core, 'hub/app', layer!.digest).catch(() => undefined), undefined);
  });

  it('asks for a layer again five seconds after it failed, however often it was asked for meanwhile', async () => {
    const image = randomImage([5000]);
    const { digest } = image.layers[0]!;
    upstream.add('app', image, 'v1');
    const isLayer = new RegExp(`blobs/${digest}`);
    upstream.trouble(isLayer, (_, response) => response.writeHead(503).end());
    await get('v1');
    const layer = () => core.layers.open(call, { repositoryName: 'hub/app', digest });
    const read = async () => readLayer(core, 'hub/app', (await layer()).digest);
    assert.equal(await kindOf(read()), 'upstream-layer');
    // What failed is forgotten behind this.
    await core.dependencies.metadata.transaction('own-rows', async () => {});
    await new Promise(setImmediate);
    upstream.trouble(isLayer, undefined);
    for (const seconds of [2, 2]) {
      core.pass(seconds);
      assert.equal(await kindOf(read()), 'upstream-layer');
    }
    core.pass(2);
    assert.equal((await read())?.length, 5000);
  });

  it('waits until an import has a record before it becomes a layer', async () => {
    const image = randomImage([5000]);
    const [layer] = image.layers;
    upstream.add('app', image, 'v1');
    await get('v1');
    const { metadata } = core.dependencies;
    const transaction = metadata.transaction.bind(metadata);
    metadata.transaction = async (about, work) => {
      metadata.transaction = transaction;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return transaction(about, work);
    };
    await readLayer(core, 'hub/app', layer!.digest);
    assert.deepEqual(await doJobs(), ['done']);
    assert.equal(upstream.count(new RegExp(`blobs/${layer!.digest}`)), 1);
  });

  it('asks for no more of a batch than one answer may hold', async () => {
    const tags = Array.from({ length: 30 }, (_, at) => `large${at}`);
    for (const tag of tags) {
      const annotations = { tag, filling: 'x'.repeat(3_000_000) };
      const { config, layers, mediaType, manifest } = randomImage();
      const bytes = JSON.stringify({ ...JSON.parse(String(manifest.bytes)), annotations });
      upstream.add('app', { config, layers, mediaType, manifest: blobOf(bytes) }, tag);
    }
    const imageIds = tags.map((imageTag) => ({ imageTag }));
    assert.equal(await kindOf(core.images.getMany(call, { repositoryName: 'hub/app', imageIds })), 'limit-exceeded');
    assert.ok(upstream.count(/manifests/) < tags.length);
  });

  it('sends a secret to the host alone that it is for', async () => {
    const value = { username: 'u', accessToken: 'right' };
    const { arn: credentialArn } = await core.secrets.put(registry, 'bound', { ...value, host: upstream.host });
    const rule = { prefix: 'bound', upstreamUrl: upstream.url, credentialArn };
    await core.cacheRules.create(call, rule);
    const elsewhere = { ...rule, prefix: 'elsewhere', upstreamUrl: 'https://registry.example.org' };
    assert.equal(await kindOf(core.cacheRules.create(call, elsewhere)), 'invalid-parameter');
    upstream.add('app', randomImage(), 'v1');
    let sent = '';
    upstream.trouble(/\/manifests\//, ({ headers }, response) => {
      sent += headers.authorization ?? '';
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="r"' }).end();
    });
    await core.secrets.put(registry, 'bound', { ...value, host: 'registry.example.org' });
    assert.equal(await kindOf(get('v1', 'bound/app')), 'upstream-image');
    assert.equal(sent, '');
  });

  it('serves what it has also when there is no room to note that it was looked at', async () => {
    const image = await cached();
    core.pass(DAY);
    const { metadata } = core.dependencies;
    const { transaction } = metadata;
    metadata.transaction = async () => {
      throw new StorageFullError(new Error('SQLITE_FULL'));
    };
    assert.equal(await digestOfTag('v1'), image.manifest.digest);
    metadata.transaction = transaction;
  });
});
