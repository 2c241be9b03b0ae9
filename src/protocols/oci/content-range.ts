import type { IncomingMessage } from 'node:http';
import { contentLengthOf } from '../../http/body.ts';
import { OciError } from './errors.ts';

/** Where a chunk says it belongs: zero-based, both ends included. */
export interface ChunkRange {
  readonly first: number;
  readonly bytes: number;
}

/**
 * Reads the `FIRST-LAST` of a chunk (OCI distribution specification, "Pushing a blob in chunks"); HTTP's own form `bytes
 * FIRST-LAST/TOTAL` is understood too. Refuses a range that is none, or that is not as long as the body.
 *
 * @returns undefined when the client sent none: the bytes go to the end
 */
export function chunkRangeOf(request: IncomingMessage): ChunkRange | undefined {
  const header = request.headers['content-range'];
  if (header === undefined) return undefined;
  const parts = CHUNK_RANGE.exec(header);
  const first = Number(parts?.[1]);
  const last = Number(parts?.[2]);
  if (parts === null || !(Number.isSafeInteger(last) && last >= first)) {
    const message = `Content-Range is '${header.slice(0, 200)}' and should be FIRST-LAST, as in 0-1023`;
    throw new OciError(400, 'BLOB_UPLOAD_INVALID', message);
  }
  const bytes = last - first + 1;
  const length = contentLengthOf(request);
  if (length !== undefined) checkLength(bytes, length);
  return { first, bytes };
}

/** Refuses a body that is not as long as its Content-Range said. */
export function checkLength(rangeBytes: number, bodyBytes: number): void {
  if (rangeBytes === bodyBytes) return;
  const message = `Content-Range speaks of ${rangeBytes} bytes and the body has ${bodyBytes}`;
  throw new OciError(400, 'SIZE_INVALID', message);
}

const CHUNK_RANGE = /^(?:bytes[ =])?([0-9]{1,16})-([0-9]{1,16})(?:\/(?:[0-9]+|\*))?$/;
