import type { BlobLocation } from '../../../core/blob-store.ts';
import { algorithmOf, type Digest, hexOf, parseDigest } from '../../../core/values/digest.ts';

/**
 * What lies where in the bucket, below its prefix:
 *
 *   ready                                              written by the health check
 *   uploads/<uploadId>                                 what is staged: a line of JSON, then the tail (staged-state.ts)
 *   data/<uploadId>/<name>                             a multipart upload, open or completed
 *   sealed/<uploadId>/<algorithm>-<hex>.<bytes>           a small blob
 *   sealed/<uploadId>/<algorithm>-<hex>.<bytes>.<name>    empty: data/<uploadId>/<name> is this blob
 *
 * A location is the name of the sealed object below `sealed/`. The digest is known only when all bytes have come, and an
 * object cannot be renamed: so bytes stay where their multipart upload began, and an empty object says what they are.
 * Names are random, so that a node that was taken for dead never writes over what another has written.
 */
export const READY_KEY = 'ready';
export const UPLOADS = 'uploads/';
export const DATA = 'data/';
export const SEALED = 'sealed/';

/** Throws TypeError when the id is not a UUID. */
export function stagedKey(uploadId: string): string {
  return UPLOADS + requireUploadId(uploadId);
}

export function dataFolder(uploadId: string): string {
  return `${DATA}${requireUploadId(uploadId)}/`;
}

export function dataKey(uploadId: string, name: string): string {
  return dataFolder(uploadId) + name;
}

export function sealedFolder(uploadId: string): string {
  return `${SEALED}${requireUploadId(uploadId)}/`;
}

export interface SealedName {
  readonly uploadId: string;
  readonly digest: Digest;
  readonly bytes: number;
  /** Of the data object; undefined when the sealed object holds the bytes itself. */
  readonly name: string | undefined;
}

export function locationOf({ uploadId, digest, bytes, name }: SealedName): BlobLocation {
  const sealed = `${requireUploadId(uploadId)}/${algorithmOf(digest)}-${hexOf(digest)}.${bytes}`;
  return name === undefined ? sealed : `${sealed}.${name}`;
}

/** What a location says; undefined when the text is no location. */
export function sealedAt(location: BlobLocation): SealedName | undefined {
  const [, uploadId, algorithm, hex, bytes, name] = LOCATION.exec(location) ?? [];
  const digest = parseDigest(`${algorithm}:${hex}`);
  return digest && { uploadId: uploadId!, digest, bytes: Number(bytes), name };
}

/** Throws TypeError when the location is not one that `locationOf` made. */
export function requireSealed(location: BlobLocation): SealedName {
  const sealed = sealedAt(location);
  if (sealed === undefined) throw new TypeError(`Not a blob location: ${JSON.stringify(location)}`);
  return sealed;
}

/** Where the bytes of a location are. */
export function bytesKey(location: BlobLocation): string {
  const { uploadId, name } = requireSealed(location);
  return name === undefined ? SEALED + location : dataKey(uploadId, name);
}

/** The upload and the object that a key below `data/` names; undefined when it is none of ours. */
export function dataAt(key: string): { readonly uploadId: string; readonly name: string } | undefined {
  const [, uploadId, name] = DATA_KEY.exec(key) ?? [];
  return name === undefined ? undefined : { uploadId: uploadId!, name };
}

/** The upload whose state a key holds; undefined when it is none of ours. */
export function uploadAt(key: string): string | undefined {
  const uploadId = key.startsWith(UPLOADS) ? key.slice(UPLOADS.length) : '';
  return UPLOAD_ID.test(uploadId) ? uploadId : undefined;
}

function requireUploadId(uploadId: string): string {
  if (!UPLOAD_ID.test(uploadId)) throw new TypeError(`Not an upload id: ${JSON.stringify(uploadId)}`);
  return uploadId;
}

const UPLOAD_ID = /^[0-9a-f-]{36}$/i;
const DATA_KEY = /^data\/([0-9a-f-]{36})\/([0-9a-f]+)$/i;
const LOCATION = /^([0-9a-f-]{36})\/(sha256|sha512)-([0-9a-f]+)\.([0-9]{1,15})(?:\.([0-9a-f]+))?$/i;
