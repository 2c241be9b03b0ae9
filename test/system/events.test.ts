import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { http } from '../support/http.ts';
import { blobOf, descriptor, mediaTypes, pushBlob, pushImage, pushManifest, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import {
  isGenuine,
  type ReceivedEvent,
  startWebhookReceiver,
  type WebhookReceiver,
} from '../support/webhook-receiver.ts';
import { eventually } from './access-server.ts';
import { ecrClient } from './aws-client.ts';
import { type Gantry, gantryOn } from './gantry-command.ts';

/** The events that a receiver has by the time there are so many. */
async function receivedBy(receiver: WebhookReceiver, count: number): Promise<readonly ReceivedEvent[]> {
  const end = performance.now() + 20_000;
  while (receiver.received.length < count && performance.now() < end) await sleep(20);
  assert.equal(receiver.received.length, count);
  return receiver.received;
}

async function addWebhook(gantry: Gantry, { url }: { url: string }, ...words: string[]): Promise<string> {
  const said = await gantry('events', 'target', 'add', 'hook', 'webhook', url, '--allow-http', '--json', ...words);
  return JSON.parse(said).secret;
}

describe('events of a registry', () => {
  let server: RunningServer;
  let receiver: WebhookReceiver;
  let secret = '';
  let file = '';
  const image = randomImage();
  const { digest } = image.manifest;
  let count = 0;
  const next = async (): Promise<ReceivedEvent> => (await receivedBy(receiver, ++count)).at(-1)!;

  before(async () => {
    server = await startServer();
    receiver = await startWebhookReceiver();
    const gantry = gantryOn(server.data);
    secret = await addWebhook(gantry, receiver, '--repository', 'team/*');
    file = join(server.data, 'events.jsonl');
    await gantry('events', 'target', 'add', 'log', 'file', file);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  it('tell a webhook of a push, signed, as ECR tells EventBridge', async () => {
    await pushImage(server.url, 'other/app', 'latest', randomImage());
    await pushImage(server.url, 'team/app', 'v1', image);
    const received = await next();
    const { event, headers } = received;
    assert.ok(isGenuine(received, secret, new Date()));
    assert.equal(headers['gantry-event-id'], event.id);
    assert.equal(headers['gantry-delivery-attempt'], '1');
    const { id, time, ...rest } = event;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
    assert.deepEqual(rest, {
      version: '0',
      'detail-type': 'ECR Image Action',
      source: 'aws.ecr',
      account: '000000000000',
      region: 'us-east-1',
      resources: [],
      detail: {
        result: 'SUCCESS',
        'repository-name': 'team/app',
        'image-digest': digest,
        'action-type': 'PUSH',
        'image-tag': 'v1',
      },
    });
  });

  it('tell of a signature as of a referrer', async () => {
    const empty = blobOf('{}');
    await pushBlob(server.url, 'team/app', empty);
    const signature = blobOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        artifactType: 'application/vnd.example.signature',
        config: descriptor(mediaTypes.empty, empty),
        layers: [],
        subject: descriptor(mediaTypes.manifest, image.manifest),
      }),
    );
    const pushed = await pushManifest(server.url, 'team/app', signature.digest, signature, mediaTypes.manifest);
    assert.equal(pushed.status, 201);
    const { event } = await next();
    assert.equal(event['detail-type'], 'ECR Referrer Action');
    assert.deepEqual(event.detail, {
      result: 'SUCCESS',
      'repository-name': 'team/app',
      'image-digest': signature.digest,
      'action-type': 'PUSH',
      'manifest-media-type': mediaTypes.manifest,
      'artifact-media-type': 'application/vnd.example.signature',
    });
    await http(`${server.url}/v2/team/app/manifests/${signature.digest}`, { method: 'DELETE' });
    assert.deepEqual((await next()).event.detail, { ...event.detail, 'action-type': 'DELETE' });
  });

  it('tell of an archived and a restored image', async () => {
    const ecr = ecrClient(server.url);
    const imageId = { imageDigest: digest };
    const repositoryName = 'team/app';
    await ecr.updateImageStorageClass({ repositoryName, imageId, targetStorageClass: 'ARCHIVE' });
    const archived = {
      'action-type': 'UPDATE_STORAGE_CLASS',
      'target-storage-class': 'ARCHIVE',
      'image-digest': digest,
      'repository-name': repositoryName,
      result: 'SUCCESS',
      'manifest-media-type': mediaTypes.manifest,
      'artifact-media-type': mediaTypes.config,
    };
    assert.deepEqual((await next()).event.detail, archived);
    await ecr.updateImageStorageClass({ repositoryName, imageId, targetStorageClass: 'STANDARD' });
    const { 'last-activated-at': activatedAt, ...restored } = (await next()).event.detail;
    assert.deepEqual(restored, { ...archived, 'target-storage-class': 'STANDARD' });
    assert.ok(Math.abs(Date.parse(String(activatedAt)) - Date.now()) < 60_000);
  });

  it('tell of a deletion', async () => {
    const gone = await http(`${server.url}/v2/team/app/manifests/${digest}`, { method: 'DELETE' });
    assert.equal(gone.status, 202);
    assert.deepEqual((await next()).event.detail, {
      result: 'SUCCESS',
      'repository-name': 'team/app',
      'image-digest': digest,
      'action-type': 'DELETE',
      'image-tag': 'v1',
    });
  });

  it('tell a file of the same, and of what the webhook did not ask for', async () => {
    const lines = async () => (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
    await eventually(async () => (await lines()).length, count + 1);
    const events = (await lines()).map((line) => JSON.parse(line));
    assert.equal(events.filter(({ detail }) => detail['repository-name'] === 'other/app').length, 1);
    const ids = events.filter(({ detail }) => detail['repository-name'] === 'team/app').map(({ id }) => id);
    assert.deepEqual(ids.toSorted(), receiver.received.map(({ event }) => event.id).toSorted());
  });
});

describe('a delivery', () => {
  it('is made again, under the same id, when the receiver is ill', async () => {
    await using server = await startServer();
    await using receiver = await startWebhookReceiver();
    await addWebhook(gantryOn(server.data), receiver);
    receiver.answerNext(500, 302);
    await pushImage(server.url, 'some/app', 'v1', randomImage());
    const received = await receivedBy(receiver, 3);
    assert.equal(new Set(received.map(({ event }) => event.id)).size, 1);
    assert.deepEqual(
      received.map(({ headers }) => headers['gantry-delivery-attempt']),
      ['1', '2', '3'],
    );
  });

  it('is made after a restart when kill -9 cut it off', async () => {
    await using folder = await temporaryFolder();
    await using receiver = await startWebhookReceiver();
    receiver.answerAlways(() => {});
    const first = await startServer({ data: folder.path });
    await addWebhook(gantryOn(folder.path), receiver);
    for (const tag of ['v1', 'v2']) await pushImage(first.url, 'some/app', tag, randomImage());
    await receivedBy(receiver, 2);
    await first.kill();
    receiver.answerAlways(204);
    await using _second = await startServer({ data: folder.path });
    const received = await receivedBy(receiver, 4);
    const ids = received.map(({ event }) => event.id);
    assert.deepEqual(ids.slice(2).toSorted(), ids.slice(0, 2).toSorted());
  });

  it('ends with the server, and is made by the next one', async () => {
    await using folder = await temporaryFolder();
    await using receiver = await startWebhookReceiver();
    receiver.answerNext(() => {});
    const first = await startServer({ data: folder.path });
    await addWebhook(gantryOn(folder.path), receiver);
    await pushImage(first.url, 'some/app', 'v1', randomImage());
    await receivedBy(receiver, 1);
    assert.equal(await first.stop(), 0);
    await using _second = await startServer({ data: folder.path });
    const [one, two] = await receivedBy(receiver, 2);
    assert.equal(one?.event.id, two?.event.id);
  });
});
