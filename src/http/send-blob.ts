import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type HttpRange, parseRange } from './ranges.ts';

/** Gives bytes in order; a chunk belongs to the caller until it is handed back with `recycle`. */
export interface ChunkReader extends AsyncDisposable {
  next(): Promise<Uint8Array | undefined>;
  recycle(chunk: Uint8Array): void;
}

export interface SendableBlob {
  readonly bytes: number;
  /** With its quotes. */
  readonly etag?: string;
  readonly contentType: string;
  readonly headers?: OutgoingHttpHeaders;
  read(range?: HttpRange): Promise<ChunkReader>;
}

/**
 * Answers GET and HEAD of immutable bytes: 200, 206, 304 or 416 (RFC 9110, 13 and 14). Resolves when the client has taken
 * everything or has gone. Rejects when the bytes cannot be read; the answer may have begun by then.
 */
export async function sendBlob(request: IncomingMessage, response: ServerResponse, blob: SendableBlob): Promise<void> {
  const { etag, bytes } = blob;
  const common: OutgoingHttpHeaders = { ...blob.headers, 'Accept-Ranges': 'bytes' };
  if (etag !== undefined) common.ETag = etag;
  if (etag !== undefined && matchesEtag(request.headers['if-none-match'], etag)) {
    response.writeHead(304, common).end();
    return;
  }
  const range = rangeOf(request, blob);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { ...common, 'Content-Range': `bytes */${bytes}`, 'Content-Length': 0 }).end();
    return;
  }
  common['Content-Type'] = blob.contentType;
  common['Content-Length'] = range === undefined ? bytes : range.last - range.first + 1;
  if (range !== undefined) common['Content-Range'] = `bytes ${range.first}-${range.last}/${bytes}`;
  const status = range === undefined ? 200 : 206;
  if (request.method === 'HEAD' || bytes === 0) {
    response.writeHead(status, common).end();
    return;
  }
  await using reader = await blob.read(range);
  response.writeHead(status, common);
  await pump(reader, response, common['Content-Length']);
}

/** Whether an If-None-Match header names the tag or anything (RFC 9110, 13.1.2: weak comparison). */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header === etag || header === '*') return true;
  return header.split(',').some((one) => {
    const tag = one.trim();
    return tag === '*' || (tag.startsWith('W/') ? tag.slice(2) : tag) === etag;
  });
}

function rangeOf(request: IncomingMessage, blob: SendableBlob): HttpRange | 'unsatisfiable' | undefined {
  if (request.method !== 'GET') return undefined;
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== blob.etag) return undefined;
  return parseRange(request.headers.range, blob.bytes);
}

/** So many chunks are with the socket at a time: one on its way while the next is read. */
const CHUNKS_IN_FLIGHT_MAX = 2;

/**
 * Writes the reader's chunks and hands each back when the socket is done with its memory. Resolves when no chunk is with the
 * socket any more, so that the reader may go.
 */
async function pump(reader: ChunkReader, response: ServerResponse, bytes: number): Promise<void> {
  const flow = new ChunkFlow(reader, response);
  for (let left = bytes; left > 0; ) {
    await flow.room();
    if (response.destroyed) break;
    const chunk = await reader.next();
    if (chunk === undefined) throw new Error(`The blob ended ${left} bytes early`);
    left -= chunk.byteLength;
    flow.send(chunk, left <= 0);
  }
  await flow.drained();
}

class ChunkFlow {
  readonly #reader: ChunkReader;
  readonly #response: ServerResponse;
  #inFlight = 0;
  #wake: (() => void) | undefined;

  constructor(reader: ChunkReader, response: ServerResponse) {
    this.#reader = reader;
    this.#response = response;
    // Whatever becomes of write callbacks when the client goes away, nobody waits for them then.
    response.once('close', () => this.#wake?.());
  }

  send(chunk: Uint8Array, isLast: boolean): void {
    if (this.#response.destroyed) return;
    this.#inFlight += 1;
    const done = () => {
      this.#inFlight -= 1;
      this.#reader.recycle(chunk);
      this.#wake?.();
    };
    if (isLast) this.#response.end(chunk, done);
    else this.#response.write(chunk, done);
  }

  room(): Promise<void> {
    return this.#until(CHUNKS_IN_FLIGHT_MAX - 1);
  }

  drained(): Promise<void> {
    return this.#until(0);
  }

  async #until(inFlightMax: number): Promise<void> {
    while (this.#inFlight > inFlightMax && !this.#response.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
  }
}
