import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectGarbage } from '../../src/core/garbage/collect-garbage.ts';
import { verifyStore } from '../../src/core/garbage/verify-store.ts';
import { call, pushLayer, refusalOf } from '../core/core-under-test.ts';
import { imageManifest, indexManifest, pushedImage } from '../core/manifests.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { startNodes } from './postgres-nodes.ts';

const ROUNDS = 40;
const repositoryName = 'one';

/** Each meeting is tried many times, since what it would break is broken only now and then. */
describe('nodes that share a PostgreSQL database', { skip: withoutPostgres }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server[Symbol.asyncDispose]());

  it('never delete an image that another puts into an index', async () => {
    await using cluster = await startNodes(server);
    const [one, other] = cluster.nodes;
    await one.repositories.create(call, { repositoryName });
    const repository = await one.repositories.get(call, repositoryName);
    for (let round = 0; round < ROUNDS; round++) {
      const child = await pushedImage(one, repositoryName, `${round}`);
      const index = indexManifest([child]);
      const [put, deleted] = await Promise.all([
        refusalOf(one.images.put(call, { repositoryName, manifest: index.bytes })),
        other.images.deleteMany(call, { repositoryName, imageIds: [{ imageDigest: child.digest }] }),
      ]);
      const isThere = async (digest: string) =>
        (await one.dependencies.metadata.read.images.find(repository.id, digest as `sha256:${string}`)) !== undefined;
      assert.equal(await isThere(index.digest), 'value' in put);
      assert.equal(await isThere(child.digest), deleted.failures.length > 0);
      assert.notEqual('value' in put, deleted.failures.length === 0, `round ${round}`);
    }
  });

  it('never collect a layer that another is naming in an image', async () => {
    await using cluster = await startNodes(server, { layerLeaseSeconds: -1 });
    const [one, other] = cluster.nodes;
    await one.repositories.create(call, { repositoryName });
    for (let round = 0; round < ROUNDS; round++) {
      const layers = [
        await pushLayer(one, repositoryName, `a ${round}`),
        await pushLayer(one, repositoryName, `b ${round}`),
      ];
      const manifest = imageManifest(await pushLayer(one, repositoryName, `config ${round}`), layers);
      await Promise.all([
        collectGarbage(other.dependencies),
        // The collector looks at other things first.
        sleep(Math.random() * 20).then(() =>
          refusalOf(one.images.put(call, { repositoryName, manifest: manifest.bytes })),
        ),
      ]);
      assert.deepEqual(await one.dependencies.metadata.read.images.missingLayers(10), [], `round ${round}`);
    }
    assert.deepEqual((await verifyStore(one.dependencies)).problems, []);
  });

  it('never give an immutable tag to two images', async () => {
    await using cluster = await startNodes(server);
    const [one, other] = cluster.nodes;
    await one.repositories.create(call, { repositoryName, imageTagMutability: 'IMMUTABLE' });
    for (let round = 0; round < ROUNDS; round++) {
      const manifests = [1, 2, 3, 4].map((image) => indexManifest([], { annotations: { image: `${round} ${image}` } }));
      const put = await Promise.all(
        manifests.map(({ bytes }, index) =>
          refusalOf((index % 2 ? one : other).images.put(call, { repositoryName, manifest: bytes, tag: `v${round}` })),
        ),
      );
      assert.equal(put.filter((outcome) => 'value' in outcome).length, 1, `round ${round}`);
    }
  });

  it('never give an image more tags than it may have', async () => {
    const limit = 20;
    await using cluster = await startNodes(server, {}, { 'tags-per-image': limit });
    const [one, other] = cluster.nodes;
    await one.repositories.create(call, { repositoryName });
    const { bytes } = indexManifest([]);
    await Promise.all(
      Array.from({ length: limit * 2 }, (_, tag) =>
        refusalOf((tag % 2 ? one : other).images.put(call, { repositoryName, manifest: bytes, tag: `v${tag}` })),
      ),
    );
    const { tags } = await one.images.tags(call, { repositoryName, after: '', limit: 100 });
    assert.equal(tags.length, limit);
  });

  it('make a repository once, and take a job once', async () => {
    await using cluster = await startNodes(server);
    const stores = cluster.nodes.map(({ dependencies }) => dependencies.metadata);
    const at = new Date();
    for (let round = 0; round < ROUNDS; round++) {
      const made = await Promise.all(
        cluster.nodes.map(({ repositories }) => refusalOf(repositories.create(call, { repositoryName: `r${round}` }))),
      );
      assert.equal(made.filter((outcome) => 'value' in outcome).length, 1);
      await stores[0]!.transaction('alone', async ({ jobs }) => {
        for (let job = 0; job < 10; job++) await jobs.enqueue({ kind: 'collect-garbage', payload: {} }, at);
      });
      const until = new Date(at.getTime() + 60_000);
      const claims = await Promise.all(
        [0, 1, 0, 1, 0, 1].map((node, place) =>
          stores[node]!.transaction('alone', ({ jobs }) =>
            jobs.claim('collect-garbage', { leaseId: `${round} ${place}`, until }, at, 3),
          ),
        ),
      );
      const ids = claims.flat().map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length, `round ${round}`);
      const rest = await stores[0]!.transaction('alone', ({ jobs }) =>
        jobs.claim('collect-garbage', { leaseId: `${round} rest`, until }, at, 10),
      );
      assert.equal(ids.length + rest.length, 10);
    }
    const fired = await Promise.all(
      Array.from({ length: 10 }, (_, place) =>
        stores[place % 2]!.transaction('alone', ({ jobs }) => jobs.fire('often', 0, new Date(at.getTime() + 1))),
      ),
    );
    assert.ok(fired.some((did) => did));
    const later = new Date(at.getTime() + 100_000);
    const again = await Promise.all(
      Array.from({ length: 10 }, (_, place) =>
        stores[place % 2]!.transaction('alone', ({ jobs }) => jobs.fire('often', 60, later)),
      ),
    );
    assert.equal(again.filter((did) => did).length, 1);
  });
});
