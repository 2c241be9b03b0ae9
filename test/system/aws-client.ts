import assert from 'node:assert/strict';
import { ECR } from '@aws-sdk/client-ecr';
import type { HttpAnswer } from '../support/http.ts';
import { type Blob, blobOf } from '../support/images.ts';

/** A client of the SDK's own that sends each request once. An access key id of twelve digits is that account. */
export function ecrClient(url: string, { accessKeyId = 'AKIDEXAMPLE', region = 'us-east-1' } = {}): ECR {
  return new ECR({ endpoint: url, region, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey: 'secret' } });
}

/** The call is refused with that exception, in these words if any are given. @returns the error, for its typed members */
export async function refused(
  call: Promise<unknown>,
  name: string,
  message: string | RegExp = /\S/,
): Promise<Record<string, unknown>> {
  const error = await call.then(
    () => assert.fail(`expected ${name}, but it succeeded`),
    (reason) => reason,
  );
  assert.equal(error.name, name, error.message);
  if (typeof message === 'string') assert.equal(error.message, message);
  else assert.match(error.message, message);
  assert.equal(error.$metadata.httpStatusCode, 400);
  return { ...error };
}

/** The answer is an error as AWS JSON 1.1 writes it, down to what botocore reads it by. */
export function assertAwsError(answer: HttpAnswer, code: string, message: string | RegExp = /\S/, status = 400): void {
  assert.equal(answer.status, status, answer.text());
  assert.equal(answer.headers['content-type'], 'application/x-amz-json-1.1');
  assert.match(String(answer.headers['x-amzn-requestid']), /^[0-9a-f-]{36}$/);
  assert.equal(answer.json().__type, code, answer.text());
  if (typeof message === 'string') assert.equal(answer.json().message, message);
  else assert.match(answer.json().message, message);
}

/** Uploads one layer in parts of a size. @returns the upload's id, not completed yet */
export async function uploadParts(
  ecr: ECR,
  repositoryName: string,
  bytes: Uint8Array,
  partBytes = 10 * 1024 * 1024,
): Promise<string> {
  const { uploadId } = await ecr.initiateLayerUpload({ repositoryName });
  for (let first = 0; first < bytes.length; first += partBytes) {
    const layerPartBlob = bytes.subarray(first, first + partBytes);
    const partLastByte = first + layerPartBlob.length - 1;
    const sent = { repositoryName, uploadId, partFirstByte: first, partLastByte, layerPartBlob };
    assert.equal((await ecr.uploadLayerPart(sent)).lastByteReceived, partLastByte);
  }
  return String(uploadId);
}

/** Uploads one layer to its end. */
export async function uploadLayer(ecr: ECR, repositoryName: string, { bytes, digest }: Blob): Promise<void> {
  const uploadId = await uploadParts(ecr, repositoryName, bytes);
  await ecr.completeLayerUpload({ repositoryName, uploadId, layerDigests: [digest] });
}

/** A manifest that names blobs without needing more of them than their digests. */
export function manifestOf(config: Blob, layers: readonly Blob[], more: object = {}): Blob {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const describe = (type: string, { bytes, digest }: Blob) => ({ mediaType: type, digest, size: bytes.length });
  return blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: describe('application/vnd.oci.image.config.v1+json', config),
      layers: layers.map((layer) => describe('application/vnd.oci.image.layer.v1.tar', layer)),
      ...more,
    }),
  );
}
