import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { http } from '../support/http.ts';
import {
  artifact,
  type Blob,
  blobOf,
  empty,
  mediaTypes,
  pushBlob,
  pushImage,
  pushManifest,
  randomImage,
} from '../support/images.ts';
import { until } from '../system/until.ts';
import { type Cluster, type ClusterNode, startCluster, whyNoCluster } from './nodes-cluster.ts';
import { contentOfBucket } from './s3-bucket.ts';

const repositoryName = 'some/app';
/** A node that died is waited for half a minute; the rest is what the work takes. */
const GOES_ON_SECONDS = 90;

describe('work after the answer on several nodes', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  afterEach(() => cluster?.[Symbol.asyncDispose]());

  describe('that live', () => {
    beforeEach(async () => {
      cluster = await startCluster({ args: ['--lifecycle-interval-seconds', '2', '--garbage-interval-seconds', '0'] });
    });

    it('is done once, and a schedule fires once in its time, however many nodes there are', async () => {
      await awsCall(cluster.url, 'CreateRepository', { repositoryName });
      const subjects = 20;
      await pushBlob(cluster.url, repositoryName, empty);
      for (let number = 0; number < subjects; number++) {
        const subject = await push(artifact(`subject ${number}`));
        await push(artifact(`bom ${number}`, subject));
        await remove(subject);
      }
      const done = () => sumOf('gantry_jobs_done_total{kind="follow-subject",outcome="done"}');
      await until(async () => (await tagsAndImages()).length === 0);
      await until(async () => (await done()) >= subjects);

      const fired = () => sumOf('gantry_jobs_done_total{kind="start-lifecycle",outcome="done"}');
      const since = performance.now();
      const before = await fired();
      await until(async () => (await fired()) >= before + 8, 90);
      const count = (await fired()) - before;
      const seconds = (performance.now() - since) / 1000;
      // One from before may have been under way, another waiting.
      assert.ok(count <= seconds / 2 + 3, `${count} in ${seconds} s`);
      assert.equal(await done(), subjects);
    });
  });

  describe('of which one dies', () => {
    it('garbage collection goes on where another node left it', async () => {
      cluster = await startCluster({
        args: ['--garbage-interval-seconds', '0', '--layer-lease-seconds', '1', '--undo-seconds', '0'],
      });
      const [first, ...others] = cluster.nodes;
      const kept = randomImage();
      await pushImage(cluster.url, repositoryName, 'kept', kept);
      const doomed = Array.from({ length: BLOBS }, (_, number) => blobOf(`${number} `.repeat(500)));
      for (let at = 0; at < BLOBS; at += 20) {
        await Promise.all(doomed.slice(at, at + 20).map((blob) => pushBlob(cluster.url, repositoryName, blob)));
      }
      const staying = kept.layers.length + 1;
      assert.equal(await sealedObjects(), BLOBS + staying);
      for (const node of cluster.nodes) await node.kill();
      await first!.start(COLLECTING);
      await until(async () => (await sealedObjects()) < BLOBS + staying);
      await first!.kill();
      for (const node of others) await node.start(COLLECTING);
      await until(async () => (await sealedObjects()) === staying, GOES_ON_SECONDS);
      const { code, stdout } = await cluster.gantry(['verify', '--orphan-seconds', '0']);
      assert.equal(code, 0, stdout);
    });

    it('replication goes on where another node left it', async () => {
      cluster = await startCluster({ args: ['--garbage-interval-seconds', '0'] });
      const [first, ...others] = cluster.nodes;
      for (const node of others) await node.kill();
      const rules = [{ destinations: [{ region: COPY.region, registryId: '000000000000' }] }];
      await awsCall(first!.url, 'CreateRepository', { repositoryName });
      await awsCall(first!.url, 'PutReplicationConfiguration', { replicationConfiguration: { rules } });
      const images = Array.from({ length: IMAGES }, () => randomImage());
      for (const [number, image] of images.entries()) {
        await pushImage(first!.url, repositoryName, `v${number}`, image);
        if (number === IMAGES / 2) await until(async () => (await copies(first!)).length > 0);
      }
      await first!.kill();
      for (const node of others) await node.start();
      await until(async () => (await copies(others[0]!)).length === IMAGES, GOES_ON_SECONDS);
      for (const image of images) {
        const input = { repositoryName, imageIds: [{ imageDigest: image.manifest.digest }] };
        const got = await awsCall(cluster.url, 'BatchGetImage', input, COPY);
        assert.equal(got.json().images[0]?.imageManifest, image.manifest.bytes.toString());
      }
      const { code, stdout } = await cluster.gantry(['verify']);
      assert.equal(code, 0, stdout);
    });
  });

  async function push(manifest: Blob): Promise<Blob> {
    const answer = await pushManifest(cluster.url, repositoryName, manifest.digest, manifest, mediaTypes.manifest);
    assert.equal(answer.status, 201, answer.text());
    return manifest;
  }

  async function remove({ digest }: Blob): Promise<void> {
    const url = `${cluster.url}/v2/${repositoryName}/manifests/${digest}`;
    assert.equal((await http(url, { method: 'DELETE' })).status, 202);
  }

  async function tagsAndImages(): Promise<unknown[]> {
    return (await awsCall(cluster.url, 'ListImages', { repositoryName })).json().imageIds;
  }

  async function copies({ url }: ClusterNode): Promise<unknown[]> {
    return (await awsCall(url, 'ListImages', { repositoryName }, COPY)).json().imageIds ?? [];
  }

  async function sumOf(metric: string): Promise<number> {
    const counts = await Promise.all(cluster.nodes.map((node) => metricOf(node, metric)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async function sealedObjects(): Promise<number> {
    const { objects } = await contentOfBucket(cluster.bucket);
    return objects.filter((key) => key.startsWith('sealed/')).length;
  }
});

const BLOBS = 300;
const IMAGES = 30;
/** Bytes whose facts the dead node had deleted already are remains, which otherwise stay for an hour. */
const COLLECTING = ['--garbage-interval-seconds', '1', '--orphan-seconds', '1'];
const COPY = { region: 'eu-west-1' };

async function metricOf({ url }: ClusterNode, name: string): Promise<number> {
  const lines = (await http(`${url}/metrics`)).text().split('\n');
  return Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length) ?? 0);
}
