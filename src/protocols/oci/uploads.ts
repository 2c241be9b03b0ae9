import type { OutgoingHttpHeaders } from 'node:http';
import { RefusedError } from '../../core/errors.ts';
import type { UploadReference } from '../../core/layers/uploads.ts';
import type { Digest } from '../../core/values/digest.ts';
import { isRepositoryName } from '../../core/values/repository-name.ts';
import { hasBody, pumpBody } from '../../http/body.ts';
import { authorize, mayCreate } from './authorize.ts';
import { checkLength, chunkRangeOf } from './content-range.ts';
import { OciError } from './errors.ts';
import { answerEmpty, locationOf, type OciExchange } from './exchange.ts';
import { digestFrom } from './references.ts';
import { admitReplication } from './replicated.ts';

/** POST (end-4a, end-4b, end-11): begins an upload, or has the blob there at once by its digest or from another repository. */
export async function startUpload(exchange: OciExchange): Promise<void> {
  const { context, call, repositoryName, query } = exchange;
  await admitReplication(exchange);
  const mount = query.get('mount');
  const digest = query.get('digest');
  if (mount !== null && (await mountBlob(exchange, digestFrom(mount)))) {
    return answerCreated(exchange, digestFrom(mount));
  }
  if (digest !== null && mount === null) return uploadAtOnce(exchange, digestFrom(digest));
  const createOnPush = await mayCreate(exchange, repositoryName);
  const { uploadId } = await context.core.uploads.initiate(call, { repositoryName, createOnPush });
  answerEmpty(exchange, 202, progressOf(exchange, uploadId, 0));
}

/** GET (end-13): how far the upload has come. */
export async function getUploadStatus(exchange: OciExchange): Promise<void> {
  const { context, call, parameter } = exchange;
  const { bytes } = await context.core.uploads.status(call, uploadOf(exchange));
  answerEmpty(exchange, 204, progressOf(exchange, parameter, bytes));
}

/** PATCH (end-5): one chunk with a Content-Range, or a stream to the end of what is there. */
export async function receiveChunk(exchange: OciExchange): Promise<void> {
  const bytes = await receive(exchange, uploadOf(exchange));
  answerEmpty(exchange, 202, progressOf(exchange, exchange.parameter, bytes));
}

/** PUT (end-6): the last chunk if there is one, and the digest that ends the upload. */
export async function completeUpload(exchange: OciExchange): Promise<void> {
  const { request, context, call, query } = exchange;
  const digest = digestFrom(query.get('digest'));
  const upload = uploadOf(exchange);
  if (hasBody(request)) {
    await authorize(exchange, 'ecr:UploadLayerPart', upload.repositoryName);
    await receive(exchange, upload);
  }
  await context.core.uploads.finish(call, { ...upload, digest });
  answerCreated(exchange, digest);
}

/** DELETE (end-14). */
export async function cancelUpload(exchange: OciExchange): Promise<void> {
  const { context, call } = exchange;
  await context.core.uploads.cancel(call, uploadOf(exchange));
  answerEmpty(exchange, 204, {});
}

/**
 * Whether the blob could be mounted. Whatever is in the way, a source that the caller may not read or no source at all, the
 * client then uploads the blob (specification, "Mounting a blob from another repository").
 */
async function mountBlob(exchange: OciExchange, digest: Digest): Promise<boolean> {
  const { context, call, repositoryName, query } = exchange;
  const from = query.get('from') ?? undefined;
  if (from !== undefined && !isRepositoryName(from)) return false;
  try {
    if (from !== undefined) await authorize(exchange, 'ecr:GetDownloadUrlForLayer', from);
  } catch (error) {
    if (error instanceof RefusedError && error.refusal.kind === 'access-denied') return false;
    throw error;
  }
  const createOnPush = await mayCreate(exchange, repositoryName);
  return context.core.uploads.mount(call, { repositoryName, from, digest, createOnPush });
}

/** The client never learns the upload's id, so nothing may stay of one that fails. */
async function uploadAtOnce(exchange: OciExchange, digest: Digest): Promise<void> {
  const { context, call, repositoryName } = exchange;
  const { uploads } = context.core;
  await authorize(exchange, 'ecr:UploadLayerPart', repositoryName);
  await authorize(exchange, 'ecr:CompleteLayerUpload', repositoryName);
  const createOnPush = await mayCreate(exchange, repositoryName);
  const { uploadId } = await uploads.initiate(call, { repositoryName, createOnPush });
  const upload = { repositoryName, uploadId };
  try {
    await receive(exchange, upload);
    await uploads.finish(call, { ...upload, digest });
  } catch (error) {
    await uploads.cancel(call, upload).catch(() => {});
    throw error;
  }
  answerCreated(exchange, digest);
}

/** Takes a body into an upload. What came before a client went away stays, and the upload can go on. @returns bytes in all */
async function receive(exchange: OciExchange, upload: UploadReference): Promise<number> {
  const { request, context, call } = exchange;
  const range = chunkRangeOf(request);
  const firstByte = range === undefined ? {} : { firstByte: range.first };
  const append = await context.core.uploads.append(call, { ...upload, ...firstByte }).catch((error: unknown) => {
    throw outOfOrder(exchange, error);
  });
  let received: { bytes: number };
  try {
    received = await pumpBody(request, append, range === undefined ? {} : { bytesMax: range.bytes });
  } catch (error) {
    await append.close().catch(() => {});
    throw error;
  }
  const { bytes } = await append.close();
  if (range !== undefined) checkLength(range.bytes, received.bytes);
  return bytes;
}

/** A chunk that is not the next is told what is there (specification: 416). */
function outOfOrder(exchange: OciExchange, error: unknown): unknown {
  if (!(error instanceof RefusedError) || error.refusal.kind !== 'layer-part-invalid') return error;
  const { uploadId, lastValidByteReceived = -1 } = error.refusal;
  const headers = progressOf(exchange, uploadId, lastValidByteReceived + 1);
  return new OciError(416, 'BLOB_UPLOAD_INVALID', error.message, headers);
}

function uploadOf({ repositoryName, parameter }: OciExchange): UploadReference {
  return { repositoryName, uploadId: parameter };
}

/** Range has no form for nothing at all; 0-0 is what clients expect of an upload without bytes. */
function progressOf(exchange: OciExchange, uploadId: string, bytes: number): OutgoingHttpHeaders {
  return {
    Location: locationOf(exchange, `blobs/uploads/${uploadId}`),
    Range: `0-${Math.max(0, bytes - 1)}`,
    'Docker-Upload-UUID': uploadId,
  };
}

function answerCreated(exchange: OciExchange, digest: Digest): void {
  answerEmpty(exchange, 201, {
    Location: locationOf(exchange, `blobs/${digest}`),
    'Docker-Content-Digest': digest,
  });
}
