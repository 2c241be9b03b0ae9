import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Credentials } from './access.ts';
import { awsCall } from './aws-call.ts';
import { http } from './http.ts';
import {
  type Blob,
  blobOf,
  descriptor,
  type Image,
  mediaTypes,
  pushImage,
  pushManifest,
  randomImage,
} from './images.ts';
import { type Ran, runAny } from './programs.ts';
import { pulled } from './registry-answers.ts';
import { checkout, pinnedNode, type RunningServer } from './server.ts';

const KIB = 1024;

/** Runs `gantry WORDS --data DATA` with an environment that says where the rest is. */
export function runGantry(data: string, words: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  return runAny(gantryWords(data, words), { env, seconds: 180 });
}

export function gantryWords(data: string, words: readonly string[]): string[] {
  return [pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words, '--data', data];
}

/** A command that must succeed; what it said. */
export async function gantry(data: string, words: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await runGantry(data, words, env);
  assert.equal(code, 0, `${words.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** A command that must be refused in a sentence; the sentence. */
export async function refusal(data: string, words: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await runGantry(data, words, env);
  assert.equal(code, 1, `${words.join(' ')}: ${stdout}`);
  assert.match(stderr, /^gantry: [^\n]+\n$/);
  return stderr;
}

/** Answered with 200, or the test ends. */
export async function call(url: string, operation: string, input: object = {}) {
  const answer = await awsCall(url, operation, input);
  assert.equal(answer.status, 200, `${operation}: ${answer.text()}`);
  return answer.json();
}

export interface FilledRegistry {
  /** Of a user who may read. */
  readonly reader: Credentials;
  /** An upload by PATCH that has received the first of two halves. */
  readonly streamed: HalfUpload;
  /** An upload by UploadLayerPart, likewise. */
  readonly parted: HalfUpload;
}

interface HalfUpload {
  readonly id: string;
  readonly repositoryName: string;
  readonly layer: Blob;
  readonly halfBytes: number;
}

/**
 * Puts something of every kind that a registry holds into a server that admits everybody.
 *
 * @param env says to commands where the registry is, but for its folder
 */
export async function fillRegistry(
  server: RunningServer,
  partBytes: number,
  env: Record<string, string> = {},
): Promise<FilledRegistry> {
  const { url, data } = server;
  const app = { repositoryName: 'team/app' };
  await call(url, 'CreateRepository', { ...app, tags: [{ Key: 'cost', Value: 'ä' }] });
  await call(url, 'CreateRepository', { repositoryName: 'other', imageTagMutability: 'IMMUTABLE' });
  const [one, two] = [randomImage([2000, 300 * KIB]), randomImage([6 * 1024 * KIB])];
  await pushImage(url, 'team/app', 'v1', one);
  await pushImage(url, 'team/app', 'v1', two);
  await pushImage(url, 'other', 'v1', two);
  await pushIndex(url, 'team/app', 'all', [one, two]);
  await pushReferrer(url, 'team/app', one);
  await pushImage(url, 'team/app', 'gone', randomImage([500]));
  await call(url, 'BatchDeleteImage', { ...app, imageIds: [{ imageTag: 'gone' }] });
  const archived = randomImage([40 * KIB]);
  await pushImage(url, 'team/app', 'old', archived);
  const imageId = { imageDigest: archived.manifest.digest };
  await call(url, 'UpdateImageStorageClass', { ...app, imageId, targetStorageClass: 'ARCHIVE' });
  await call(url, 'SetRepositoryPolicy', { ...app, policyText: policy('ecr:BatchGetImage') });
  await call(url, 'PutRegistryPolicy', { policyText: policy('ecr:ReplicateImage') });
  await call(url, 'PutLifecyclePolicy', { ...app, lifecyclePolicyText: LIFECYCLE });
  await call(url, 'PutAccountSetting', { name: 'REGISTRY_POLICY_SCOPE', value: 'V2' });
  await call(url, 'CreateRepositoryCreationTemplate', { prefix: 'made', appliedFor: ['CREATE_ON_PUSH'] });
  await gantry(data, ['user', 'create', 'reader'], env);
  const managed = ['--managed', 'AmazonEC2ContainerRegistryReadOnly'];
  await gantry(data, ['policy', 'attach', '--user', 'reader', ...managed], env);
  const reader = JSON.parse(await gantry(data, ['key', 'create', '--user', 'reader', '--json'], env)) as Credentials;
  const file = join(data, 'events.jsonl');
  await gantry(data, ['events', 'target', 'add', 'log', 'file', file], env);
  return { reader, streamed: await halfStreamed(url), parted: await halfParted(url, partBytes) };
}

const LIFECYCLE = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 900 },
      action: { type: 'expire' },
    },
  ],
});

function policy(action: string): string {
  const statement = {
    Sid: 'one',
    Effect: 'Allow',
    Principal: { AWS: 'arn:aws:iam::111122223333:root' },
    Action: action,
  };
  const resource =
    action === 'ecr:ReplicateImage' ? { Resource: 'arn:aws:ecr:us-east-1:000000000000:repository/*' } : {};
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ ...statement, ...resource }] });
}

async function pushIndex(url: string, repository: string, tag: string, images: readonly Image[]): Promise<void> {
  const manifests = images.map(({ manifest, mediaType }) => descriptor(mediaType, manifest));
  const index = blobOf(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  assert.equal((await pushManifest(url, repository, tag, index, mediaTypes.index)).status, 201);
}

async function pushReferrer(url: string, repository: string, subject: Image): Promise<void> {
  const { config, layers } = randomImage([100]);
  await pushImage(url, repository, 'carrier', { ...randomImage([100]) });
  for (const blob of [config, ...layers]) await pushBlobTo(url, repository, blob);
  const manifest = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: 'application/vnd.example.signature',
      config: descriptor(mediaTypes.config, config),
      layers: layers.map((layer) => descriptor(mediaTypes.layer, layer)),
      subject: descriptor(subject.mediaType, subject.manifest),
    }),
  );
  const answer = await pushManifest(url, repository, manifest.digest, manifest, mediaTypes.manifest);
  assert.equal(answer.status, 201, answer.text());
}

async function pushBlobTo(url: string, repository: string, { bytes, digest }: Blob): Promise<void> {
  const begun = await http(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const place = new URL(String(begun.headers.location), url);
  place.searchParams.set('digest', digest);
  const put = { method: 'PUT', body: bytes, headers: { 'Content-Length': bytes.length } };
  assert.equal((await http(place.href, put)).status, 201);
}

async function halfStreamed(url: string): Promise<HalfUpload> {
  const layer = blobOf(randomBytes(900 * KIB));
  const halfBytes = 500 * KIB;
  const begun = await http(`${url}/v2/team/app/blobs/uploads/`, { method: 'POST' });
  const place = new URL(String(begun.headers.location), url);
  const body = layer.bytes.subarray(0, halfBytes);
  const sent = await http(place.href, { method: 'PATCH', body, headers: { 'Content-Length': body.length } });
  assert.equal(sent.status, 202, sent.text());
  return { id: place.pathname.split('/').at(-1)!, repositoryName: 'team/app', layer, halfBytes };
}

async function halfParted(url: string, halfBytes: number): Promise<HalfUpload> {
  const layer = blobOf(randomBytes(halfBytes + 1000));
  const { uploadId } = await call(url, 'InitiateLayerUpload', { repositoryName: 'other' });
  await sendPart(url, { id: uploadId, repositoryName: 'other', layer, halfBytes }, 0);
  return { id: uploadId, repositoryName: 'other', layer, halfBytes };
}

function sendPart(url: string, { id, repositoryName, layer, halfBytes }: HalfUpload, half: 0 | 1) {
  const [first, end] = half === 0 ? [0, halfBytes] : [halfBytes, layer.bytes.length];
  const layerPartBlob = layer.bytes.subarray(first, end).toString('base64');
  return call(url, 'UploadLayerPart', {
    repositoryName,
    uploadId: id,
    partFirstByte: first,
    partLastByte: end - 1,
    layerPartBlob,
  });
}

/** Sends the second halves, on whichever server the uploads are known. */
export async function endUploads(url: string, { streamed, parted }: FilledRegistry): Promise<void> {
  const place = new URL(`${url}/v2/${streamed.repositoryName}/blobs/uploads/${streamed.id}`);
  const status = await http(place.href);
  assert.equal(status.headers.range, `0-${streamed.halfBytes - 1}`);
  const body = streamed.layer.bytes.subarray(streamed.halfBytes);
  place.searchParams.set('digest', streamed.layer.digest);
  const put = await http(place.href, { method: 'PUT', body, headers: { 'Content-Length': body.length } });
  assert.equal(put.status, 201, put.text());

  await sendPart(url, parted, 1);
  const { id, repositoryName, layer } = parted;
  await call(url, 'CompleteLayerUpload', { repositoryName, uploadId: id, layerDigests: [layer.digest] });
  for (const half of [streamed, parted]) {
    assert.ok((await pulled(url, half.repositoryName, half.layer.digest)).equals(half.layer.bytes));
  }
}
