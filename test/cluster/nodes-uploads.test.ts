import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HttpAnswer, http } from '../support/http.ts';
import { type Blob, blobOf } from '../support/images.ts';
import { ecrClient } from '../system/aws-client.ts';
import { type Cluster, startCluster, whyNoCluster } from './nodes-cluster.ts';
import { contentOfBucket } from './s3-bucket.ts';

const MIB = 1024 * 1024;
const repositoryName = 'some/image';
/** Twice what a node that died may hold what it wrote. */
const BUSY_SECONDS_MAX = 60;

describe('an upload on several nodes', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster();
    await ecrClient(cluster.url).createRepository({ repositoryName });
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  const nodeAt = (turn: number) => cluster.nodes[turn % cluster.nodes.length]!;

  it('takes its chunks from each in turn', async () => {
    const layer = blobOf(randomBytes(9 * MIB));
    const path = await begin();
    const chunkBytes = 700_000;
    for (let first = 0, turn = 0; first < layer.bytes.length; first += chunkBytes, turn++) {
      const answer = await patch(nodeAt(turn).url + path, layer.bytes.subarray(first, first + chunkBytes), first);
      assert.equal(answer.status, 202, answer.text());
    }
    assert.equal((await finish(cluster.url + path, layer)).status, 201);
    await assertEverywhere(layer);
  });

  it('takes its parts from each in turn', async () => {
    const layer = blobOf(randomBytes(26 * MIB));
    const { uploadId } = await ecrClient(cluster.url).initiateLayerUpload({ repositoryName });
    const partBytes = 5 * MIB;
    for (let first = 0, turn = 0; first < layer.bytes.length; first += partBytes, turn++) {
      const layerPartBlob = layer.bytes.subarray(first, first + partBytes);
      const partLastByte = first + layerPartBlob.length - 1;
      const part = { repositoryName, uploadId, partFirstByte: first, partLastByte, layerPartBlob };
      assert.equal((await ecrClient(nodeAt(turn).url).uploadLayerPart(part)).lastByteReceived, partLastByte);
    }
    const ended = { repositoryName, uploadId, layerDigests: [layer.digest] };
    await ecrClient(cluster.url).completeLayerUpload(ended);
    await assertEverywhere(layer);
  });

  it('goes on at another when one dies in the middle of a chunk, with all that was acknowledged', async () => {
    const layer = blobOf(randomBytes(20 * MIB));
    const acknowledged = 3 * MIB;
    const [dying, other] = cluster.nodes;
    const path = await begin();
    assert.equal((await patch(dying!.url + path, layer.bytes.subarray(0, acknowledged), 0)).status, 202);
    const cut = new Readable({ read() {} });
    cut.push(layer.bytes.subarray(acknowledged, 15 * MIB));
    const writing = http(dying!.url + path, { method: 'PATCH', body: cut }).catch(() => undefined);
    while ((await contentOfBucket(cluster.bucket)).multiparts.length === 0) await sleep(20);
    await dying!.kill();
    await writing;

    const ended = await persist(other!.url + path, layer, acknowledged);
    assert.equal(ended.status, 201, ended.text());
    await dying!.start();
    await assertEverywhere(layer);
  });

  /** Sends what is missing and ends the upload, again and again as long as somebody else is said to write it. */
  async function persist(url: string, layer: Blob, acknowledged: number): Promise<HttpAnswer> {
    for (const end = performance.now() + BUSY_SECONDS_MAX * 1000; ; ) {
      const status = await http(url);
      assert.equal(status.status, 204);
      const received = Number(/^0-(\d+)$/.exec(String(status.headers.range))?.[1]) + 1;
      assert.ok(received >= acknowledged, `${received} of ${acknowledged}`);
      // Little, for a refusal does not wait for the end of much.
      const beyond = Math.min(received + 64 * 1024, layer.bytes.length);
      const answer = await patch(url, layer.bytes.subarray(received, beyond), received);
      if (answer.status === 202) {
        assert.equal((await patch(url, layer.bytes.subarray(beyond), beyond)).status, 202);
        return finish(url, layer);
      }
      assert.ok(answer.status === 409 && performance.now() < end, answer.text());
      await sleep(500);
    }
  }

  async function begin(): Promise<string> {
    const answer = await http(`${cluster.url}/v2/${repositoryName}/blobs/uploads/`, { method: 'POST' });
    return new URL(String(answer.headers.location), cluster.url).pathname;
  }

  async function assertEverywhere({ digest, bytes }: Blob): Promise<void> {
    for (const { url } of cluster.nodes) {
      const { headers } = await http(`${url}/v2/${repositoryName}/blobs/${digest}`);
      const answer = await http(String(headers.location));
      assert.ok(answer.status === 200 && answer.body.equals(bytes), url);
    }
  }
});

function patch(url: string, body: Buffer, first: number): Promise<HttpAnswer> {
  const headers = { 'Content-Length': body.length, 'Content-Range': `${first}-${first + body.length - 1}` };
  return http(url, { method: 'PATCH', body, headers });
}

function finish(url: string, { digest }: Blob): Promise<HttpAnswer> {
  return http(`${url}?digest=${digest}`, { method: 'PUT', headers: { 'Content-Length': 0 } });
}
