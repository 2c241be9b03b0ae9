import type { Blob } from '../support/images.ts';
import { awsHeaders } from './aws-headers.ts';
import { expectLayer, mustHaveLayer, promise, type RepositoryLedger } from './ledger.ts';
import type { Random } from './random.ts';
import type { Answered, World } from './world.ts';

/** One client's way to the server and what it may draw from. */
export interface Pusher {
  readonly world: World;
  readonly random: Random;
  readonly leaseMs: number;
}

type Push = (pusher: Pusher, ledger: RepositoryLedger, blob: Blob) => Promise<void>;

const octets = { 'Content-Type': 'application/octet-stream' };

/** POST, then PUT with all the bytes; or a POST that has them. After a crash, once more from the start. */
export const pushAtOnce: Push = ({ world, random, leaseMs }, ledger, blob) =>
  world.persist(async () => {
    expectLayer(ledger, blob);
    const headers = { ...octets, 'Content-Length': blob.bytes.length };
    const single = random.chance(0.3);
    const path = single
      ? `/v2/${ledger.name}/blobs/uploads/?digest=${blob.digest}`
      : `${await beginUpload(world, ledger)}?digest=${blob.digest}`;
    const answer = await world.ask(path, { method: single ? 'POST' : 'PUT', headers, body: blob.bytes });
    if (answer.status !== 201) return unexpected(world, 'a blob at once', answer);
    promise(ledger, blob, answer.sentAt, leaseMs);
    world.count('blobs pushed at once');
  });

/** POST, some PATCHes, PUT. After a crash it goes on from where GET says. */
export const pushInChunks: Push = async ({ world, random, leaseMs }, ledger, blob) => {
  const path = await world.persist(() => beginUpload(world, ledger));
  const upload = { offset: 0, acknowledged: 0, sent: 0, ending: false };
  await world.persist(async (isRetry) => {
    if (isRetry && (await resume(world, ledger, blob, path, upload))) return;
    while (!upload.ending) {
      const rest = blob.bytes.length - upload.offset;
      const length = Math.min(rest, 2 + random.below(Math.max(2, Math.ceil(blob.bytes.length / 3))));
      if (length === rest && random.chance(0.5)) break;
      const chunk = blob.bytes.subarray(upload.offset, upload.offset + length);
      const range = random.chance(0.5) && { 'Content-Range': `${upload.offset}-${upload.offset + length - 1}` };
      upload.sent = upload.offset + length;
      const headers = { ...octets, 'Content-Length': length, ...range };
      const answer = await world.ask(path, { method: 'PATCH', headers, body: chunk });
      if (answer.status !== 202) return unexpected(world, 'a chunk', answer);
      upload.offset = upload.acknowledged = upload.sent;
      upload.ending = length === rest;
    }
    expectLayer(ledger, blob);
    upload.ending = true;
    const rest = blob.bytes.subarray(upload.offset);
    upload.sent = blob.bytes.length;
    const headers = { ...octets, 'Content-Length': rest.length };
    const answer = await world.ask(`${path}?digest=${blob.digest}`, { method: 'PUT', headers, body: rest });
    if (answer.status !== 201) return unexpected(world, `the end of ${JSON.stringify(upload)}`, answer);
    promise(ledger, blob, answer.sentAt, leaseMs);
    world.count('blobs pushed in chunks');
  });
};

interface Progress {
  offset: number;
  acknowledged: number;
  sent: number;
  ending: boolean;
}

/** @returns whether the upload turned out to have ended well */
async function resume(world: World, ledger: RepositoryLedger, blob: Blob, path: string, upload: Progress) {
  const status = await world.ask(path);
  if (status.status === 404 && upload.ending) {
    const head = await world.ask(`/v2/${ledger.name}/blobs/${blob.digest}`, { method: 'HEAD' });
    if (head.status !== 200) world.fail(`upload ${path} is gone and its blob ${blob.digest} is not there`);
    else world.count('ends of uploads that a crash had cut off the answer of');
    return true;
  }
  if (status.status !== 204) {
    unexpected(world, `the status of an upload with ${upload.acknowledged} bytes`, status);
    return true;
  }
  const bytes = bytesOf(status);
  // Sealed but not recorded: the bytes are out of the upload's reach, and it starts over.
  const startsOver = upload.ending && bytes === 0;
  if (!startsOver && (bytes < upload.acknowledged || bytes > upload.sent)) {
    const { acknowledged, sent } = upload;
    world.fail(`upload ${path} has ${bytes} bytes; ${acknowledged} were acknowledged and ${sent} were sent`);
  }
  Object.assign(upload, { offset: bytes, acknowledged: bytes, sent: bytes, ending: bytes === blob.bytes.length });
  world.count('uploads resumed');
  return false;
}

/** InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload, each again after a crash. */
export const pushInParts: Push = async ({ world, leaseMs }, ledger, blob) => {
  const { uploadId } = await world.persist(async () => {
    const answer = await call(world, 'InitiateLayerUpload', { repositoryName: ledger.name });
    if (answer.status !== 200) unexpected(world, 'InitiateLayerUpload', answer);
    return answer.json() as { uploadId: string };
  });
  const reference = { repositoryName: ledger.name, uploadId };
  const partBytes = 5 * 1024 * 1024;
  for (let first = 0; first < blob.bytes.length; ) {
    const last = Math.min(first + partBytes, blob.bytes.length) - 1;
    first = await world.persist(async (isRetry) => {
      if (isRetry && (await isPartThere(world, ledger, uploadId, first, last))) return last + 1;
      const layerPartBlob = blob.bytes.subarray(first, last + 1).toString('base64');
      const part = { ...reference, partFirstByte: first, partLastByte: last, layerPartBlob };
      const answer = await call(world, 'UploadLayerPart', part);
      const isThere = isRetry && answer.status === 400 && answer.json().lastValidByteReceived === last;
      if (answer.status !== 200 && !isThere) unexpected(world, `the part from ${first} to ${last}`, answer);
      return last + 1;
    });
  }
  await world.persist(async (isRetry) => {
    expectLayer(ledger, blob);
    const answer = await call(world, 'CompleteLayerUpload', { ...reference, layerDigests: [blob.digest] });
    const refusal = answer.status === 200 ? undefined : String(answer.json().__type);
    const mayBeThere = refusal?.endsWith('LayerAlreadyExistsException') === true;
    const isOver = isRetry && refusal?.endsWith('UploadNotFoundException') === true;
    if (isOver) {
      const head = await world.ask(`/v2/${ledger.name}/blobs/${blob.digest}`, { method: 'HEAD' });
      if (head.status !== 200) world.fail(`upload ${uploadId} is gone and its layer ${blob.digest} is not there`);
      else promise(ledger, blob, head.sentAt, leaseMs / 2);
      world.count('completions that a crash had cut off the answer of');
    } else if (refusal === undefined || mayBeThere) {
      promise(ledger, blob, answer.sentAt, leaseMs);
      world.count(isRetry ? 'layers completed again after a crash' : 'layers completed');
    } else unexpected(world, 'CompleteLayerUpload', answer);
  });
};

/** Of a part whose answer was lost: either all of it was recorded or nothing. */
async function isPartThere(world: World, ledger: RepositoryLedger, uploadId: string, first: number, last: number) {
  const status = await world.ask(`/v2/${ledger.name}/blobs/uploads/${uploadId}`);
  if (status.status !== 204) {
    unexpected(world, 'the status of an upload in parts', status);
    return true;
  }
  const bytes = bytesOf(status);
  // Before its first part is recorded an upload counts what is staged; the part then starts over.
  if (first === 0) return false;
  if (bytes !== first && bytes !== last + 1) {
    world.fail(`upload ${uploadId} has ${bytes} bytes; its part from ${first} to ${last} is there in part`);
  }
  world.count('parts asked after');
  return bytes === last + 1;
}

/** POST with mount and from. A source that may have gone need not be mounted. */
export async function mountLayer({ world, leaseMs }: Pusher, from: RepositoryLedger, to: RepositoryLedger, blob: Blob) {
  return world.persist(async () => {
    expectLayer(to, blob);
    const query = `mount=${blob.digest}&from=${encodeURIComponent(from.name)}`;
    const answer = await world.ask(`/v2/${to.name}/blobs/uploads/?${query}`, { method: 'POST', headers: empty });
    if (answer.status === 201) {
      promise(to, blob, answer.sentAt, leaseMs);
      world.count('layers mounted');
      return true;
    }
    if (answer.status !== 202) unexpected(world, 'a mount', answer);
    else if (mustHaveLayer(from, blob.digest)) world.fail(`${blob.digest} of ${from.name} could not be mounted`);
    return false;
  });
}

const empty = { 'Content-Length': '0' };

async function beginUpload(world: World, { name }: RepositoryLedger): Promise<string> {
  const answer = await world.ask(`/v2/${name}/blobs/uploads/`, { method: 'POST', headers: empty });
  if (answer.status !== 202) unexpected(world, 'the start of an upload', answer);
  return new URL(String(answer.headers.location), world.url).pathname;
}

function bytesOf(status: Answered): number {
  const last = Number(/^0-(\d+)$/.exec(String(status.headers.range))?.[1]);
  return last === 0 ? 0 : last + 1;
}

export function call(world: World, operation: string, input: object): Promise<Answered> {
  return world.ask('/', { method: 'POST', headers: awsHeaders(operation), body: JSON.stringify(input) });
}

export function unexpected(world: World, what: string, { status, text }: Answered): void {
  world.fail(`${what} was answered ${status}: ${text().slice(0, 500)}`);
}
