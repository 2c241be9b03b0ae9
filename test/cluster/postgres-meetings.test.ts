import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectGarbage } from '../../src/core/garbage/collect-garbage.ts';
import { verifyStore } from '../../src/core/garbage/verify-store.ts';
import type { MetadataStore, Records, WorkScope } from '../../src/core/metadata-store.ts';
import { openPostgresMetadataStore } from '../../src/drivers/metadata/postgres.ts';
import { addBlob, addLayer, addRepository, MOMENT, minutesLater } from '../contract/metadata-store/driver.ts';
import { call, pushLayer, refusalOf, registry } from '../core/core-under-test.ts';
import { imageManifest, indexManifest } from '../core/manifests.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { type Node, startNodes } from './postgres-nodes.ts';

const ROUNDS = 30;

describe('works of two nodes that meet on PostgreSQL', { skip: withoutPostgres }, () => {
  let server: PostgresServer;
  let url: string;
  let one: MetadataStore;
  let other: MetadataStore;
  before(async () => {
    server = await startPostgres();
    url = await server.newDatabase();
    one = await openPostgresMetadataStore({ url });
    other = await openPostgresMetadataStore({ url });
    await one.migrate();
  });
  after(async () => {
    await one[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const MAY_RUN_BESIDE: readonly (readonly [WorkScope, WorkScope, boolean])[] = [
    ['repository', 'repository', true],
    ['repository', 'own-rows', true],
    ['own-rows', 'own-rows', true],
    ['registry', 'repository', true],
    ['registry', 'own-rows', true],
    ['registry', 'registry', false],
    ['alone', 'repository', false],
    ['alone', 'own-rows', false],
    ['alone', 'registry', false],
  ];
  for (const [scope, second, mayRun] of MAY_RUN_BESIDE) {
    it(`about ${scope} and ${second} ${mayRun ? 'run at the same time' : 'wait for each other'}`, async () => {
      const places = [await addRepository(one), await addRepository(one)];
      const begin = (at: number) => (records: Records) => records.repositories.findById(places[at]!.id);
      await using open = await opened(one, scope, begin(0));
      const running = other.transaction(second, begin(1));
      assert.equal(await isOverSoon(running), mayRun);
      await open.end();
      assert.ok(await running);
    });
  }

  it('about one repository wait for each other', async () => {
    const { id } = await addRepository(one);
    await using open = await opened(one, 'repository', ({ repositories }) => repositories.findById(id));
    const running = other.transaction('repository', ({ repositories }) => repositories.findById(id));
    assert.equal(await isOverSoon(running), false);
    await open.end();
    assert.ok(await running);
  });

  it('keep a layer that is renewed while it is collected', async () => {
    const { id } = await addRepository(one);
    const { digest } = await addLayer(one, id, MOMENT);
    await using renewing = await opened(one, 'own-rows', ({ layers }) =>
      layers.renewLeases(id, [digest], minutesLater(9)),
    );
    const collected = other.transaction('own-rows', ({ layers }) => layers.deleteExpired(id, digest, minutesLater(1)));
    assert.equal(await isOverSoon(collected), false);
    await renewing.end();
    assert.equal(await collected, false);
    assert.ok(await one.read.layers.find(id, digest));
  });

  it('tell nobody of a layer that is being collected', async () => {
    const { id } = await addRepository(one);
    const { digest } = await addLayer(one, id, MOMENT);
    await using collecting = await opened(one, 'own-rows', (to) =>
      to.layers.deleteExpired(id, digest, minutesLater(1)),
    );
    const renewed = other.transaction('own-rows', async ({ layers }) => {
      await layers.renewLeases(id, [digest], minutesLater(9));
      return layers.findMany(id, [digest]);
    });
    assert.equal(await isOverSoon(renewed), false);
    await collecting.end();
    assert.deepEqual(await renewed, []);
  });

  it('keep a blob that gets a layer while it is collected', async () => {
    const { id } = await addRepository(one);
    const blob = await addBlob(one);
    const layer = { repositoryId: id, digest: blob.digest, blobId: blob.id, leaseUntil: minutesLater(1) };
    await using inserting = await opened(one, 'repository', async ({ repositories, blobs, layers }) => {
      await repositories.findById(id);
      assert.ok(await blobs.find(blob.scope, blob.digest));
      return layers.insert(layer);
    });
    const collected = other.transaction('own-rows', ({ blobs }) => blobs.deleteUnreferenced(blob.id));
    assert.equal(await isOverSoon(collected), false);
    await inserting.end();
    assert.equal(await collected, false);
  });

  it('keep a blob that was only found while it is collected, for as long as the finder needs it', async () => {
    const { id } = await addRepository(one);
    const blob = await addBlob(one);
    await using finding = await opened(one, 'repository', async ({ repositories, blobs }) => {
      await repositories.findById(id);
      return blobs.find(blob.scope, blob.digest);
    });
    const collected = other.transaction('own-rows', ({ blobs }) => blobs.deleteUnreferenced(blob.id));
    assert.equal(await isOverSoon(collected), false);
    await finding.end();
    assert.equal(await collected, true);
  });

  it('leave a blob to the collector when its last two layers go at once', async () => {
    const places = [await addRepository(one), await addRepository(one)];
    const blob = await addBlob(one);
    for (const { id } of places) {
      const layer = { repositoryId: id, digest: blob.digest, blobId: blob.id, leaseUntil: MOMENT };
      await one.transaction('alone', ({ layers }) => layers.insert(layer));
    }
    const expire = (at: number) => (records: Records) =>
      records.layers.deleteExpired(places[at]!.id, blob.digest, minutesLater(1));
    await using first = await opened(one, 'own-rows', expire(0));
    const second = other.transaction('own-rows', expire(1));
    assert.equal(await isOverSoon(second), false);
    await first.end();
    assert.equal(await second, true);
    const unreferenced = await one.read.blobs.unreferenced(100);
    assert.ok(unreferenced.some(({ id }) => id === blob.id));
  });

  it('never miss a blob that is pushed again while it is collected', async () => {
    await using cluster = await startNodes(server, { layerLeaseSeconds: -1 });
    const [pusher, collector] = cluster.nodes;
    for (const repositoryName of ['first', 'second']) await pusher.repositories.create(call, { repositoryName });
    for (let round = 0; round < ROUNDS; round++) {
      await pushLayer(pusher, 'first', `same ${round}`);
      await Promise.all([
        collectGarbage(collector.dependencies),
        sleep(Math.random() * 20).then(() => pushLayer(pusher, 'second', `same ${round}`)),
      ]);
      assert.deepEqual((await verifyStore(pusher.dependencies)).problems, [], `round ${round}`);
    }
  });

  it('leave nothing of a repository that is deleted while it is pushed to', async () => {
    await using cluster = await startNodes(server);
    const [pusher, deleter] = cluster.nodes;
    for (let round = 0; round < ROUNDS; round++) {
      const repositoryName = `r${round}`;
      await pusher.repositories.create(call, { repositoryName });
      const pushing = Promise.all(
        [1, 2, 3].map(async (number) => refusalOf(pushImage(pusher, repositoryName, `${round} ${number}`))),
      );
      await sleep(Math.random() * 20);
      await deleter.repositories.delete(call, { repositoryName, force: true });
      await collectGarbage(deleter.dependencies);
      for (const outcome of await pushing) {
        if (!('value' in outcome)) assert.match(outcome.refusal.kind, /^(repository-not-found|upload-not-found)$/);
      }
    }
    await collectGarbage(deleter.dependencies);
    const { metadata } = pusher.dependencies;
    assert.deepEqual(await metadata.read.repositories.retired(1), []);
    assert.deepEqual((await verifyStore(pusher.dependencies)).problems, []);
  });

  it('move a tag one after the other, so that its history is a chain', async () => {
    await using cluster = await startNodes(server, { undoSeconds: 3600 });
    const [left, right] = cluster.nodes;
    await left.repositories.create(call, { repositoryName: 'app' });
    await Promise.all(
      Array.from({ length: ROUNDS }, (_, number) => {
        const { bytes } = indexManifest([], { annotations: { number: `${number}` } });
        return (number % 2 ? left : right).images.put(call, { repositoryName: 'app', manifest: bytes, tag: 'v1' });
      }),
    );
    const { read } = left.dependencies.metadata;
    const { id } = (await read.repositories.find(registry, 'app'))!;
    const changes = await read.history.tagChanges(id, 'v1', undefined, ROUNDS + 1);
    const oldestFirst = changes.toReversed();
    assert.equal(changes.length, ROUNDS);
    for (const [place, change] of oldestFirst.entries()) {
      assert.equal(change.formerDigest, oldestFirst[place - 1]?.digest, `change ${place}`);
    }
    assert.equal((await read.images.findByTag(id, 'v1'))?.digest, oldestFirst.at(-1)?.digest);
  });

  it('make no more repositories than there may be', async () => {
    await using cluster = await startNodes(server, {}, { 'repositories-per-registry': 10 });
    const made = await Promise.all(
      Array.from({ length: 30 }, (_, number) =>
        refusalOf(cluster.nodes[number % 2]!.repositories.create(call, { repositoryName: `r${number}` })),
      ),
    );
    assert.equal(made.filter((outcome) => 'value' in outcome).length, 10);
  });
});

async function pushImage(node: Node, repositoryName: string, content: string) {
  const layer = await pushLayer(node, repositoryName, content);
  const config = await pushLayer(node, repositoryName, `config ${content}`);
  return node.images.put(call, { repositoryName, manifest: imageManifest(config, [layer]).bytes });
}

/** A transaction that has done its work and stays open until it is ended. */
async function opened(store: MetadataStore, about: WorkScope, work: (records: Records) => Promise<unknown>) {
  const { promise: ending, resolve: end } = Promise.withResolvers<void>();
  const { promise: done, resolve: isDone } = Promise.withResolvers<void>();
  const running = store.transaction(about, async (records) => {
    await work(records);
    isDone();
    await ending;
  });
  await Promise.race([done, running]);
  const finish = async () => {
    end();
    await running;
  };
  return { end: finish, [Symbol.asyncDispose]: finish };
}

/** Whether something ends although a transaction beside it stays open; one that waits for it will not, however long. */
async function isOverSoon(running: Promise<unknown>): Promise<boolean> {
  return Promise.race([running.then(() => true), sleep(300, false)]);
}
