import type { ClientRequest, IncomingMessage } from 'node:http';
import { connectionFault } from './connection-fault.ts';
import { Deadline } from './deadline.ts';
import { Fault } from './fault.ts';

export interface BodyLimits {
  readonly idleSeconds: number;
  readonly documentSeconds: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * The body of an answer, chunk by chunk as it is asked for: reading from the socket stops while nobody asks. A chunk owns its
 * memory. Whoever has the body disposes of it; what is left then is not waited for.
 */
export class AnswerBody implements Disposable {
  readonly #response: IncomingMessage;
  readonly #limits: BodyLimits;
  readonly #outgoing: ClientRequest;
  readonly #chunks: Buffer[] = [];
  readonly #deadline = new Deadline((fault) => this.#fail(fault));
  #bytes = 0;
  #over: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(outgoing: ClientRequest, response: IncomingMessage, limits: BodyLimits) {
    this.#outgoing = outgoing;
    this.#response = response;
    this.#limits = limits;
    limits.signal?.addEventListener('abort', this.#abort);
    response.pause();
    response
      .on('data', (chunk: Buffer) => this.#take(chunk))
      .on('end', () => this.#end({}))
      .on('error', (error) => this.#fail(connectionFault(error)))
      .on('close', () => this.#fail(new Fault('unavailable', 'the answer broke off', { isPassing: true })));
    if (limits.signal?.aborted) this.#abort();
  }

  /** The next chunk, or undefined at the end. One at a time. */
  async next(): Promise<Buffer | undefined> {
    if (this.#chunks.length === 0 && this.#over === undefined) {
      this.#deadline.set(this.#limits.idleSeconds, 'nothing more came');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#response.resume();
      });
      this.#deadline.clear();
    }
    const chunk = this.#chunks.shift();
    if (chunk === undefined && this.#over !== undefined && 'error' in this.#over) throw this.#over.error;
    this.#bytes -= chunk?.byteLength ?? 0;
    return chunk;
  }

  /** Gives what is left of a chunk once more. */
  putBack(rest: Buffer): void {
    const owned = Buffer.from(new Uint8Array(rest).buffer);
    this.#chunks.unshift(owned);
    this.#bytes += owned.byteLength;
  }

  /** All of it, and disposes of it. @throws Fault when it is more than `bytesMax` or takes too long */
  async all(bytesMax: number): Promise<Buffer> {
    const late = new Deadline((fault) => this.#fail(fault));
    late.set(this.#limits.documentSeconds, 'the answer did not end');
    try {
      const announced = Number(this.#response.headers['content-length'] ?? 0);
      if (announced > bytesMax && this.#hasContent()) throw new Fault('invalid', tooLarge(bytesMax));
      const chunks: Buffer[] = [];
      let bytes = 0;
      for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) {
        bytes += chunk.byteLength;
        if (bytes > bytesMax) throw new Fault('invalid', tooLarge(bytesMax));
        chunks.push(chunk);
      }
      return Buffer.concat(chunks, bytes);
    } finally {
      late.clear();
      this[Symbol.dispose]();
    }
  }

  /** Reads a small rest in the background, so that the connection can be used again; gives up the connection otherwise. */
  discard(): void {
    this.all(DISCARDED_BYTES_MAX).catch(() => {});
  }

  [Symbol.dispose](): void {
    this.#end({ error: new Error('The answer was disposed of') });
    this.#chunks.length = 0;
    // All is here and nobody wants it: the connection can be used again. Otherwise more of it would come.
    if (this.#response.complete && this.#outgoing.writableFinished) this.#response.resume();
    else this.#close();
  }

  /** An answer to HEAD says how long the body would be. */
  #hasContent(): boolean {
    return this.#outgoing.method !== 'HEAD';
  }

  readonly #abort = (): void => this.#fail(this.#limits.signal?.reason);

  #take(chunk: Buffer): void {
    if (this.#over !== undefined) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    if (this.#bytes >= AHEAD_BYTES_MAX) this.#response.pause();
    this.#wake?.();
  }

  #fail(error: unknown): void {
    if (this.#over !== undefined) return;
    this.#end({ error });
    this.#close();
  }

  #end(over: { readonly error?: unknown }): void {
    this.#over ??= over;
    this.#deadline.clear();
    this.#limits.signal?.removeEventListener('abort', this.#abort);
    this.#wake?.();
  }

  #close(): void {
    this.#response.destroy();
    this.#outgoing.destroy();
  }
}

/** What is read before it is asked for. */
const AHEAD_BYTES_MAX = 256 * 1024;
const DISCARDED_BYTES_MAX = 64 * 1024;

function tooLarge(bytesMax: number): string {
  return `the answer is larger than ${bytesMax} bytes`;
}
