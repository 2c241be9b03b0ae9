import { createHash, randomBytes } from 'node:crypto';
import { Connection } from './connection.ts';
import { awsHead, awsRequest, expect } from './requests.ts';

export interface UploadParts {
  readonly kind: 'upload-parts';
  readonly port: number;
  readonly repository: string;
  /** As many layers, each over a connection of its own, all at once. */
  readonly layers: number;
  readonly partsPerLayer: number;
  readonly partBytes: number;
}

/** UploadLayerPart alone is timed; CompleteLayerUpload, after the clock has stopped, shows that every byte arrived. */
export async function uploadParts({ port, repository, layers, partsPerLayer, partBytes }: UploadParts) {
  const setup = await Connection.open(port);
  const exists = await setup.request(awsHead('CreateRepository', port, createBody(repository).length), [
    createBody(repository),
  ]);
  if (exists.status !== 200 && !exists.body.includes('RepositoryAlreadyExistsException')) expect(exists, 200);
  const planned = [];
  for (let layer = 0; layer < layers; layer++) {
    const { uploadId } = await awsRequest(setup, port, 'InitiateLayerUpload', { repositoryName: repository });
    planned.push(plan(repository, uploadId, partsPerLayer, partBytes));
  }
  const connections = await Promise.all(planned.map(() => Connection.open(port)));
  const start = performance.now();
  await Promise.all(planned.map(({ parts }, index) => sendParts(connections[index]!, port, parts)));
  const seconds = (performance.now() - start) / 1000;
  for (const { uploadId, digest } of planned) {
    const input = { repositoryName: repository, uploadId, layerDigests: [digest] };
    await awsRequest(setup, port, 'CompleteLayerUpload', input);
  }
  for (const connection of [setup, ...connections]) connection.close();
  return { seconds, bytes: layers * partsPerLayer * partBytes, operations: layers * partsPerLayer };
}

function createBody(repository: string): Buffer {
  return Buffer.from(JSON.stringify({ repositoryName: repository }));
}

interface Part {
  readonly before: Buffer;
  readonly blob: Buffer;
  readonly after: Buffer;
}

/** All parts of a layer share their bytes but for twelve at the head, so that the bodies need no memory of their own. */
function plan(repository: string, uploadId: string, count: number, partBytes: number) {
  const shared = randomBytes(partBytes);
  const nonceBytes = 12;
  const tail = Buffer.from(shared.subarray(nonceBytes).toString('base64'));
  const hash = createHash('sha256');
  const parts: Part[] = [];
  for (let index = 0; index < count; index++) {
    const nonce = randomBytes(nonceBytes);
    hash.update(nonce).update(shared.subarray(nonceBytes));
    const numbers = `"partFirstByte":${index * partBytes},"partLastByte":${(index + 1) * partBytes - 1}`;
    const names = `"repositoryName":"${repository}","uploadId":"${uploadId}"`;
    parts.push({
      before: Buffer.from(`{${names},${numbers},"layerPartBlob":"${nonce.toString('base64')}`),
      blob: tail,
      after: Buffer.from('"}'),
    });
  }
  return { uploadId, parts, digest: `sha256:${hash.digest('hex')}` };
}

async function sendParts(connection: Connection, port: number, parts: readonly Part[]): Promise<void> {
  for (const { before, blob, after } of parts) {
    const bodyBytes = before.length + blob.length + after.length;
    expect(await connection.request(awsHead('UploadLayerPart', port, bodyBytes), [before, blob, after]), 200);
  }
}
