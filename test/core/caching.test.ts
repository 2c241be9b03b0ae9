import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Authorizer } from '../../src/core/access/authorizer.ts';
import { StorageFullError } from '../../src/core/blob-store.ts';
import { createCaching } from '../../src/core/caching/caching.ts';
import { refuse } from '../../src/core/errors.ts';
import { createImages } from '../../src/core/images/image-catalog.ts';
import { createLayers } from '../../src/core/layers/layers.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { ecrLogin } from '../../src/drivers/upstreams/ecr-login.ts';
import { createUpstreamRegistry } from '../../src/drivers/upstreams/upstream-registry.ts';
import { importImageJob, refreshTagJob } from '../../src/jobs/cache-jobs.ts';
import { type Image, randomImage } from '../support/images.ts';
import { type ScriptedRegistry, startScripted } from '../support/scripted-registry.ts';
import {
  type CoreUnderTest,
  call,
  coreUnderTest,
  kindOf,
  pushLayer,
  readLayer,
  refusalOf,
  registry,
} from './core-under-test.ts';
import { doDueJobs } from './due-jobs.ts';

const DAY = 24 * 3600;

describe('the pull-through cache', () => {
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
    const handlers = {
      'import-image': importImageJob(core.caching),
      'refresh-cached-tag': refreshTagJob(core.caching),
    };
    return (await doDueJobs(core, handlers)).map(({ outcome }) => outcome);
  };
  const get = (tag: string, repositoryName = 'hub/app') =>
    core.images.getManifest(call, { repositoryName, reference: { tag } });
  const digestOfTag = async (tag: string) => (await get(tag)).digest;
  const cached = async (tag = 'v1'): Promise<Image> => {
    const image = randomImage();
    upstream.add('app', image, tag);
    await get(tag);
    assert.deepEqual(await doJobs(), ['done']);
    return image;
  };
  const asked = () => upstream.count(/\/app\/manifests\/v1/);

  it('looks upstream again a day after it did, and not before', async () => {
    const image = await cached();
    core.pass(DAY - 1);
    assert.equal(await digestOfTag('v1'), image.manifest.digest);
    assert.equal(asked(), 1);
    core.pass(1);
    const served = await get('v1');
    assert.deepEqual([served.digest, served.isStale], [image.manifest.digest, undefined]);
    assert.deepEqual([upstream.count(/^HEAD/), asked()], [1, 2]);
    core.pass(DAY - 1);
    await get('v1');
    assert.equal(asked(), 2);
  });

  it('moves a tag that moved upstream, and gives the new image at once', async () => {
    const before = await cached();
    const after = randomImage();
    upstream.add('app', after, 'v1');
    core.pass(DAY);
    assert.equal(await digestOfTag('v1'), after.manifest.digest);
    assert.equal(await digestOfTag('v1'), after.manifest.digest);
    const tags = async () => {
      const { images } = await core.images.describe(call, {
        repositoryName: 'hub/app',
        tagStatus: 'ANY',
        imageStatus: 'ANY',
        after: '',
        limit: 10,
      });
      return new Map(images.map(({ digest, tags }) => [digest as string, tags]));
    };
    assert.deepEqual((await tags()).get(before.manifest.digest), ['v1']);
    assert.deepEqual(await doJobs(), ['done']);
    assert.deepEqual((await tags()).get(after.manifest.digest), ['v1']);
    assert.deepEqual((await tags()).get(before.manifest.digest), []);
    assert.equal(asked(), 3);
  });

  it('serves what it has, and says so, while the upstream cannot be asked', async () => {
    const image = await cached();
    core.pass(DAY);
    for (const status of [500, 429, 403, 404]) {
      upstream.trouble(/\/manifests\//, (_, response) => response.writeHead(status).end());
      const served = await get('v1');
      assert.deepEqual([served.digest, served.isStale], [image.manifest.digest, true], String(status));
      const before = asked();
      assert.equal((await get('v1')).isStale, status === 404 ? undefined : true);
      assert.equal(asked(), before);
      core.pass(61);
    }
    // It was looked at, and there was nothing: that is asked again in a day.
    upstream.trouble(/\/manifests\//, undefined);
    const before = asked();
    assert.equal((await get('v1')).isStale, undefined);
    assert.equal(asked(), before);
    core.pass(DAY);
    await get('v1');
    assert.equal(asked(), before + 1);
  });

  it('leaves tags alone that are immutable', async () => {
    const image = await cached();
    await core.repositories.putTagMutability(call, { repositoryName: 'hub/app', imageTagMutability: 'IMMUTABLE' });
    upstream.add('app', randomImage(), 'v1');
    core.pass(DAY);
    assert.equal(await digestOfTag('v1'), image.manifest.digest);
    assert.equal(asked(), 1);
  });

  it('leaves a tag alone once somebody has pushed to it', async () => {
    await cached();
    const own = randomImage();
    for (const { bytes } of [own.config, ...own.layers]) await pushLayer(core, 'hub/app', bytes);
    await core.images.put(call, { repositoryName: 'hub/app', manifest: own.manifest.bytes, tag: 'v1' });
    upstream.add('app', randomImage(), 'v1');
    core.pass(DAY);
    assert.equal(await digestOfTag('v1'), own.manifest.digest);
    assert.equal(asked(), 1);
  });

  it('does not take a tag from somebody who pushed to it while the import was under way', async () => {
    const theirs = randomImage();
    upstream.add('app', theirs, 'v1');
    await get('v1');
    const own = randomImage();
    for (const { bytes } of [own.config, ...own.layers]) await pushLayer(core, 'hub/app', bytes);
    await core.images.put(call, { repositoryName: 'hub/app', manifest: own.manifest.bytes, tag: 'v1' });
    assert.equal(await digestOfTag('v1'), own.manifest.digest);
    assert.deepEqual(await doJobs(), ['done']);
    assert.equal(await digestOfTag('v1'), own.manifest.digest);
    const byDigest = { repositoryName: 'hub/app', reference: { digest: theirs.manifest.digest } };
    assert.equal((await core.images.getManifest(call, byDigest)).digest, theirs.manifest.digest);
  });

  it('looks at once when it is told to', async () => {
    await cached();
    const after = randomImage();
    upstream.add('app', after, 'v1');
    const { metadata, now } = core.dependencies;
    const repository = await metadata.read.repositories.find(registry, 'hub/app');
    const payload = { repositoryId: repository!.id, tag: 'v1' };
    await metadata.transaction('alone', ({ jobs }) => jobs.enqueue({ kind: 'refresh-cached-tag', payload }, now()));
    assert.deepEqual(await doJobs(), ['done']);
    assert.equal(await digestOfTag('v1'), after.manifest.digest);
  });

  it('tells of an import, and of nothing pushed', async () => {
    const image = await cached();
    const events = await core.dependencies.metadata.read.events.after(0, 10);
    const where = { repositoryName: 'hub/app', prefix: 'hub', upstreamUrl: upstream.url, tag: 'v1' };
    assert.deepEqual(
      events.map(({ event }) => event),
      [{ kind: 'image-cached', digest: image.manifest.digest, ...where }],
    );
  });

  it('takes layers that the registry has from there', async () => {
    const image = randomImage([1000]);
    const [layer] = image.layers;
    await pushLayer(core, 'one', layer!.bytes);
    upstream.add('app', image, 'v1');
    await get('v1');
    assert.deepEqual(await readLayer(core, 'hub/app', layer!.digest), layer!.bytes);
    assert.deepEqual(await doJobs(), ['done']);
    assert.equal(upstream.count(new RegExp(`^GET .*blobs/${layer!.digest}`)), 0);
    assert.equal(await readLayer(core, 'two', layer!.digest), undefined);
  });

  it('gives no layer of another repository that the upstream has not named', async () => {
    await cached();
    const secret = await pushLayer(core, 'one', 'secret');
    assert.equal(await readLayer(core, 'hub/app', secret.digest), undefined);
  });

  it('keeps nothing of what does not fit on the disk', async () => {
    const image = randomImage([5000]);
    const [layer] = image.layers;
    upstream.add('app', image, 'v1');
    await get('v1');
    const { blobs } = core.dependencies;
    const appender = blobs.appender.bind(blobs);
    blobs.appender = async () => {
      throw new StorageFullError(new Error('ENOSPC'));
    };
    const opened = await core.layers.open(call, { repositoryName: 'hub/app', digest: layer!.digest });
    assert.equal(await kindOf(opened.read()), 'storage-full');
    assert.deepEqual(await doJobs(), ['retried']);
    assert.equal((await Array.fromAsync(blobs.staged())).length, 0);
    blobs.appender = appender;
    core.pass(30);
    assert.deepEqual(await doJobs(), ['done']);
    assert.deepEqual(await readLayer(core, 'hub/app', layer!.digest), layer!.bytes);
  });

  it('gives up an image that is not whole upstream, and begins again with a pull a minute later', async () => {
    const image = randomImage([5000]);
    const [layer] = image.layers;
    upstream.add('app', image, 'v1');
    const isLayer = new RegExp(`blobs/${layer!.digest}`);
    upstream.trouble(isLayer, (_, response) => response.writeHead(404).end());
    await get('v1');
    assert.deepEqual(await doJobs(), ['given-up']);
    await get('v1');
    assert.equal(asked(), 1);
    assert.deepEqual(await doJobs(), []);
    core.pass(60);
    assert.equal(
      await kindOf(core.layers.open(call, { repositoryName: 'hub/app', digest: layer!.digest })),
      'layer-not-found',
    );
    upstream.trouble(isLayer, undefined);
    await get('v1');
    assert.equal(asked(), 2);
    assert.deepEqual(await doJobs(), ['done']);
  });

  it('maps names as the rule says: the longest prefix, ROOT at last', async () => {
    const rules = [
      { prefix: 'ROOT', upstreamUrl: upstream.url },
      { prefix: 'hub/deep', upstreamUrl: upstream.url, upstreamPrefix: 'their/own' },
    ];
    for (const rule of rules) await core.cacheRules.create(call, rule);
    core.pass(2);
    for (const repositoryName of ['hub/a/b', 'hub/deep/c', 'hubs/d', 'plain']) {
      await kindOf(get('v1', repositoryName));
    }
    assert.deepEqual(
      upstream.asked.map((asked) => asked.replace(/^GET \/v2\/(.*)\/manifests.*$/, '$1')),
      ['a/b', 'their/own/c', 'hubs/d', 'plain'],
    );
  });

  it('counts a change of rules at once, and one by another process soon', async () => {
    assert.equal(await kindOf(get('v1', 'late/app')), 'repository-not-found');
    const rule = { registry, prefix: 'late', upstreamPrefix: 'ROOT', upstreamUrl: upstream.url };
    const at = core.dependencies.now();
    await core.dependencies.metadata.transaction('alone', ({ cacheRules }) =>
      cacheRules.put({ ...rule, createdAt: at, updatedAt: at }),
    );
    core.pass(1);
    assert.equal(await kindOf(get('v1', 'late/app')), 'image-not-found');
    await core.cacheRules.delete(call, 'late');
    assert.equal(await kindOf(get('v1', 'late/app')), 'repository-not-found');
  });

  it('imports only for callers who may, and hides from others what it could', async () => {
    const allowed = new Set<string>();
    const authorizer: Authorizer = {
      async authorize({ arn }, { action, resource }) {
        return allowed.has(action) ? 'allowed' : refuse({ kind: 'access-denied', callerArn: arn, action, resource });
      },
    };
    const { dependencies, secrets } = core;
    await using caching = createCaching(dependencies, {
      authorizer,
      secrets,
      connect: (target) => createUpstreamRegistry(target, { allowPrivate: true }),
      logInAtEcr: ecrLogin,
      onUnrecorded: (error) => console.error(error),
    });
    const images = caching.images(createImages(dependencies));
    const layers = caching.layers(createLayers(dependencies));
    const user = { ...call, caller: { ...call.caller, kind: 'user' } } as const;
    const pull = (reference: { tag: string } | { digest: string }, by = user as typeof call) =>
      kindOf(images.getManifest(by, { repositoryName: 'hub/app', reference }));
    const [first, second] = [randomImage(), randomImage()];
    upstream.add('app', first, 'v1');
    upstream.add('app', second, 'v2');
    assert.equal(await pull({ tag: 'v1' }), 'repository-not-found');
    allowed.add('ecr:BatchImportUpstreamImage');
    assert.equal(await pull({ tag: 'v1' }), 'repository-not-found');
    allowed.add('ecr:CreateRepository');
    assert.equal(await pull({ tag: 'v1' }), 'none');
    allowed.clear();
    assert.equal(await pull({ tag: 'v2' }), 'image-not-found');
    const open = (image: Image) =>
      kindOf(layers.open(user, { repositoryName: 'hub/app', digest: image.layers[0]!.digest }));
    assert.equal(await open(first), 'layer-not-found');
    allowed.add('ecr:BatchImportUpstreamImage');
    assert.equal(await open(first), 'none');
    assert.equal(
      await pull({ tag: 'v2' }, { ...call, caller: { ...call.caller, kind: 'anonymous' } }),
      'image-not-found',
    );
    assert.equal(await pull({ tag: 'v2' }), 'none');
  });

  it('logs in with the secret of the rule, and says when that is wrong', async () => {
    const secret = await core.secrets.put(registry, 'own/hub', { username: 'u', accessToken: 'right' });
    assert.match(
      secret.arn,
      /^arn:aws:secretsmanager:us-east-1:111122223333:secret:ecr-pullthroughcache\/own\/hub-\w{6}$/,
    );
    const right = `Basic ${btoa('u:right')}`;
    upstream.add('app', randomImage(), 'v1');
    upstream.trouble(/\/v2\//, ({ headers, url }, response) => {
      if (headers.authorization !== right) {
        return response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
      }
      return url === '/v2/' ? response.end('{}') : response.writeHead(404).end();
    });
    const credentialArn = secret.arn;
    await core.cacheRules.create(call, { prefix: 'own', upstreamUrl: upstream.url, credentialArn });
    const validate = async () => (await core.cacheRules.validate(call, 'own')).failure;
    const pull = () => refusalOf(get('v1', 'own/app'));
    assert.equal(await validate(), undefined);
    assert.equal(await kindOf(get('v1', 'own/app')), 'image-not-found');
    await core.secrets.put(registry, 'own/hub', { username: 'u', accessToken: 'wrong' });
    const other = await core.secrets.put(registry, 'other', { username: 'u', accessToken: 'wrong' });
    await core.cacheRules.update(call, { prefix: 'own', credentialArn: other.arn });
    core.pass(10);
    assert.match((await validate()) ?? '', /answered 401/);
    const refused = await pull();
    assert.ok('refusal' in refused && refused.refusal.kind === 'upstream-image');
    assert.equal(refused.refusal.trouble, 'credentials');
    await core.cacheRules.update(call, { prefix: 'own', credentialArn: secret.arn });
    await core.secrets.put(registry, 'own/hub', { username: 'u', accessToken: 'right' });
    core.pass(60);
    assert.equal(await validate(), undefined);
    await core.secrets.delete(registry, 'own/hub');
    core.pass(60);
    assert.match((await validate()) ?? '', /does not exist/);
  });

  it('asks no more of one host at once than it can bear', async () => {
    let underWay = 0;
    let most = 0;
    upstream.trouble(/\/storm/, (_, response) => {
      underWay += 1;
      most = Math.max(most, underWay);
      setTimeout(() => {
        underWay -= 1;
        response.writeHead(404).end();
      }, 10);
    });
    const kinds = await Promise.all(Array.from({ length: 600 }, (_, at) => kindOf(get('v1', `hub/storm${at}`))));
    assert.ok(most <= 16, String(most));
    assert.equal(kinds.filter((kind) => kind === 'image-not-found').length, 516);
    assert.equal(kinds.filter((kind) => kind === 'upstream-image').length, 84);
  });

  it('goes on with an image after a restart, also for clients that have its manifest already', async () => {
    const image = randomImage([2000]);
    const [layer] = image.layers;
    upstream.add('app', image, 'v1');
    await get('v1');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { dependencies, secrets } = core;
    await using caching = createCaching(dependencies, {
      authorizer: { authorize: async () => 'open' },
      secrets,
      connect: (target) => createUpstreamRegistry(target, { allowPrivate: true }),
      logInAtEcr: ecrLogin,
      onUnrecorded: (error) => console.error(error),
    });
    const layers = caching.layers(createLayers(dependencies));
    const read = await readLayer({ ...core, layers }, 'hub/app', layer!.digest as Digest);
    assert.deepEqual(read, layer!.bytes);
    const handlers = { 'import-image': importImageJob(caching) };
    assert.deepEqual(
      (await doDueJobs(core, handlers)).map(({ outcome }) => outcome),
      ['done'],
    );
    assert.equal(await digestOfTag('v1'), image.manifest.digest);
  });
});
