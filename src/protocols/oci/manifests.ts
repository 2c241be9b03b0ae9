import type { IncomingMessage } from 'node:http';
import { isTag } from '../../core/values/image-reference.ts';
import { MANIFEST_BYTES_MAX } from '../../core/values/manifest.ts';
import { BodyTooLargeError, contentLengthOf, readBody } from '../../http/body.ts';
import { matchesEtag } from '../../http/send-blob.ts';
import { discardBody } from '../../http/unread-body.ts';
import { apiVersion } from './api-version.ts';
import { mayCreate } from './authorize.ts';
import { OciError } from './errors.ts';
import { answerEmpty, locationOf, type OciContext, type OciExchange } from './exchange.ts';
import { referenceFrom } from './references.ts';
import { admitReplication } from './replicated.ts';

/** Smaller manifests are read without asking for room: a pull or push must not wait behind layer parts for a few bytes. */
const BUDGETED_BYTES_MIN = 64 * 1024;

/**
 * GET and HEAD (end-3): byte for byte as it was pushed. A client whose Accept lacks the stored type is served all the same,
 * since no other form of the image has its digest.
 */
export async function getManifest(exchange: OciExchange): Promise<void> {
  const { request, response, context, call, repositoryName, parameter } = exchange;
  const reference = referenceFrom(parameter);
  const isLook = request.method === 'HEAD';
  const { digest, mediaType, bytes, isStale } = await context.core.images.getManifest(call, {
    repositoryName,
    reference,
    isLook,
  });
  const etag = `"${digest}"`;
  if (isStale) response.setHeader('Warning', STALE);
  if (matchesEtag(request.headers['if-none-match'], etag)) {
    response.writeHead(304, { ...apiVersion, 'Docker-Content-Digest': digest, ETag: etag }).end();
    return;
  }
  response.writeHead(200, {
    'Content-Type': mediaType,
    'Content-Length': bytes.byteLength,
    'Docker-Content-Digest': digest,
    'Docker-Distribution-Api-Version': 'registry/2.0',
    ETag: etag,
  });
  if (request.method === 'HEAD') response.end();
  else response.end(bytes);
}

/** Of a copy whose upstream could not be asked for something newer (RFC 7234, 5.5.1; clients print it, unlike a header of our own). */
const STALE = '110 - "Response is stale"';

/** PUT (end-7). */
export async function putManifest(exchange: OciExchange): Promise<void> {
  const { request, context, call, repositoryName, parameter } = exchange;
  const reference = referenceFrom(parameter);
  if ('tag' in reference && !isTag(reference.tag)) throw tagInvalid(reference.tag);
  const replicatedFrom = await admitReplication(exchange);
  const createOnPush = await mayCreate(exchange, repositoryName);
  using _room = await roomFor(request, context);
  const manifest = await readManifest(request);
  const mediaType = request.headers['content-type'];
  const { digest, subjectDigest } = await context.core.images.put(call, {
    repositoryName,
    manifest,
    ...(mediaType === undefined ? {} : { mediaType }),
    ...reference,
    idempotent: true,
    createOnPush,
    ...(replicatedFrom && { cause: 'replication', replicatedFrom }),
  });
  answerEmpty(exchange, 201, {
    Location: locationOf(exchange, `manifests/${digest}`),
    'Docker-Content-Digest': digest,
    ...(subjectDigest === undefined ? {} : { 'OCI-Subject': subjectDigest }),
  });
}

/** DELETE (end-9). */
export async function deleteManifest(exchange: OciExchange): Promise<void> {
  const { context, call, repositoryName, parameter } = exchange;
  await context.core.images.delete(call, { repositoryName, reference: referenceFrom(parameter) });
  answerEmpty(exchange, 202, {});
}

async function roomFor(request: IncomingMessage, { bodyBudget }: OciContext): Promise<Disposable | undefined> {
  const bytes = Math.min(contentLengthOf(request) ?? MANIFEST_BYTES_MAX, MANIFEST_BYTES_MAX);
  return bytes < BUDGETED_BYTES_MIN ? undefined : bodyBudget.acquire(bytes);
}

async function readManifest(request: IncomingMessage): Promise<Buffer> {
  try {
    return await readBody(request, { bytesMax: MANIFEST_BYTES_MAX });
  } catch (error) {
    if (!(error instanceof BodyTooLargeError)) throw error;
    await discardBody(request);
    const constraint = `Member must have length less than or equal to ${MANIFEST_BYTES_MAX}`;
    const message = `Invalid parameter at 'imageManifest' failed to satisfy constraint: '${constraint}'`;
    throw new OciError(413, 'MANIFEST_INVALID', message);
  }
}

function tagInvalid(tag: string): OciError {
  const found = `'${tag.slice(0, 200)}' is not a tag`;
  return new OciError(
    400,
    'TAG_INVALID',
    `${found}: up to 128 letters, digits, '_', '.' and '-', not first '.' or '-'`,
  );
}
