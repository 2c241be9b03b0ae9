import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Peer } from '../../../src/core/replication/peer-records.ts';
import type { ImageReplication, ReplicationRule } from '../../../src/core/replication/replication-records.ts';
import { addImage, addRepository, type MetadataStoreDriver, minutesLater, openMigrated } from './driver.ts';

const registry = { accountId: '123456789012', region: 'eu-west-1' };
const east = { ...registry, region: 'us-east-1' };
const other = { accountId: '210987654321', region: 'eu-west-1' };

export function describeReplication(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: replication`, () => {
    it('keeps the rules of each registry, and replaces them', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const rules: ReplicationRule[] = [
        { destinations: [east, other], prefixes: ['prod/', 'é'] },
        { destinations: [], prefixes: [] },
      ];
      assert.deepEqual(await store.read.replication.rules(registry), []);
      await store.transaction('alone', ({ replication }) => replication.putRules(registry, rules));
      assert.deepEqual(await store.read.replication.rules(registry), rules);
      assert.deepEqual(await store.read.replication.rules(east), []);
      assert.deepEqual(await store.read.replication.rules(other), []);
      await store.transaction('alone', ({ replication }) => replication.putRules(registry, []));
      assert.deepEqual(await store.read.replication.rules(registry), []);
    });

    it('keeps a status for each destination and tag of an image as long as there is the image', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const { id: repositoryId } = await addRepository(store);
      const image = await addImage(store, repositoryId);
      const another = await addImage(store, repositoryId);
      const status = (changes: Partial<ImageReplication>): ImageReplication => ({
        destination: east,
        tag: '',
        status: 'IN_PROGRESS',
        updatedAt: minutesLater(1),
        ...changes,
      });
      const put = (imageId: number, replication: ImageReplication) =>
        store.transaction('alone', (records) => records.replication.putStatus(imageId, replication));
      const [untagged, tagged, elsewhere] = [status({}), status({ tag: 'v1' }), status({ destination: other })];
      for (const each of [elsewhere, tagged, untagged]) await put(image.id, each);
      await put(another.id, status({ tag: 'v2' }));
      assert.deepEqual(await store.read.replication.statusesOf(image.id), [untagged, tagged, elsewhere]);
      const failed = status({ tag: 'v1', status: 'FAILED', failureCode: 'Denied', updatedAt: minutesLater(2) });
      await put(image.id, failed);
      assert.deepEqual(await store.read.replication.statusesOf(image.id), [untagged, failed, elsewhere]);
      const complete = status({ tag: 'v1', status: 'COMPLETE' });
      await put(image.id, complete);
      assert.deepEqual(await store.read.replication.statusesOf(image.id), [untagged, complete, elsewhere]);
      await store.transaction('alone', ({ images }) => images.delete(image, minutesLater(3)));
      await put(image.id, complete);
      assert.deepEqual(await store.read.replication.statusesOf(image.id), []);
      assert.equal((await store.read.replication.statusesOf(another.id)).length, 1);
    });

    it('keeps peers by account and region', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const bare: Peer = { registry: other, url: 'http://b', settings: { kind: 'oci' }, createdAt: minutesLater(1) };
      const full: Peer = {
        registry: east,
        url: 'https://a',
        settings: { kind: 'ecr', accessKeyId: 'AKIA', apiUrl: 'https://api', allowsPrivate: true },
        sealedSecret: new Uint8Array([1, 2, 3]),
        createdAt: minutesLater(2),
      };
      await store.transaction('alone', async ({ peers }) => {
        for (const peer of [bare, full]) await peers.put(peer);
      });
      assert.deepEqual(await store.read.peers.list(), [full, bare]);
      assert.deepEqual(await store.read.peers.find(east), full);
      assert.equal(await store.read.peers.find(registry), undefined);
      const { sealedSecret: _, ...open } = { ...full, url: 'https://c', createdAt: minutesLater(9) };
      await store.transaction('alone', ({ peers }) => peers.put(open));
      assert.deepEqual(await store.read.peers.find(east), { ...open, createdAt: full.createdAt });
      const remove = () => store.transaction('alone', ({ peers }) => peers.delete(east));
      assert.equal(await remove(), true);
      assert.equal(await remove(), false);
      assert.deepEqual(await store.read.peers.list(), [bare]);
    });
  });
}
