import type { IncomingMessage } from 'node:http';
import { sendContinue } from './expect-continue.ts';

/** The client announced or sent more than the route takes. */
export class BodyTooLargeError extends Error {
  readonly bytesMax: number;
  constructor(bytesMax: number) {
    super(`The request body is larger than ${bytesMax} bytes`);
    this.name = 'BodyTooLargeError';
    this.bytesMax = bytesMax;
  }
}

/** The client went away before the body's end. */
export class BodyAbortedError extends Error {
  constructor(options?: { cause?: unknown }) {
    super('The client went away before the end of the request body', options);
    this.name = 'BodyAbortedError';
  }
}

/** Where a body's chunks go. `write` owns the chunk from then on; false asks to wait for `drained`. */
export interface BodySink {
  write(chunk: Buffer): boolean;
  drained(): Promise<void>;
}

/** The announced length in bytes; undefined when the body is chunked or there is none. */
export function contentLengthOf(request: IncomingMessage): number | undefined {
  const text = request.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

/** Whether a body is coming, be it an empty one in chunks. */
export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || (contentLengthOf(request) ?? 0) > 0;
}

/**
 * The whole body in memory. Rejects with BodyTooLargeError, before reading when the length is announced, and with
 * BodyAbortedError.
 */
export async function readBody(request: IncomingMessage, { bytesMax }: { bytesMax: number }): Promise<Buffer> {
  const announced = contentLengthOf(request);
  if (announced !== undefined && announced > COPY_BYTES_MIN) return readInto(request, announced, bytesMax);
  const chunks: Buffer[] = [];
  const { bytes } = await pumpBody(
    request,
    { write: (chunk) => chunks.push(chunk) > 0, drained: neverFull },
    { bytesMax },
  );
  const [only] = chunks;
  return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, bytes);
}

/** Above this a body is gathered in one place as it comes, so that it is never in memory twice. */
const COPY_BYTES_MIN = 64 * 1024;

async function readInto(request: IncomingMessage, announced: number, bytesMax: number): Promise<Buffer> {
  if (announced > bytesMax) throw new BodyTooLargeError(bytesMax);
  const whole = Buffer.allocUnsafeSlow(announced);
  let filled = 0;
  const write = (chunk: Buffer) => {
    filled += chunk.copy(whole, filled);
    // Gives its memory back now instead of at the next collection: bodies of 28 MB make much of it.
    if (chunk.byteLength === chunk.buffer.byteLength) (chunk.buffer as ArrayBuffer).transfer(0);
    return true;
  };
  await pumpBody(request, { write, drained: neverFull }, { bytesMax: announced });
  return whole;
}

async function neverFull(): Promise<void> {}

/**
 * Hands a body's chunks over as they come: each owns its memory, so the sink may transfer it. Reading stops while the sink is
 * full. What is left of a body after a failure is read and thrown away, so that the client gets to see the answer.
 *
 * Rejects with BodyAbortedError, BodyTooLargeError, and with whatever the sink throws.
 *
 * @returns the body's size in bytes
 */
export function pumpBody(
  request: IncomingMessage,
  sink: BodySink,
  { bytesMax = Number.POSITIVE_INFINITY }: { bytesMax?: number } = {},
): Promise<{ bytes: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ bytes: number }>();
  if ((contentLengthOf(request) ?? 0) > bytesMax) return Promise.reject(new BodyTooLargeError(bytesMax));
  if (request.destroyed && !request.readableEnded) return Promise.reject(new BodyAbortedError());
  let bytes = 0;
  let over = false;
  const unhook = () => {
    over = true;
    request.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
  };
  const fail = (error: unknown) => {
    if (over) return;
    unhook();
    // A late 'error' without a listener would end the process.
    request.on('error', ignore);
    if (!request.destroyed) request.resume();
    reject(error);
  };
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax) return fail(new BodyTooLargeError(bytesMax));
    try {
      if (sink.write(chunk)) return;
    } catch (error) {
      return fail(error);
    }
    request.pause();
    sink.drained().then(() => over || request.resume(), fail);
  };
  const onEnd = () => {
    unhook();
    resolve({ bytes });
  };
  const onError = (cause: Error) => fail(new BodyAbortedError({ cause }));
  const onClose = () => fail(new BodyAbortedError());
  request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  sendContinue(request);
  return promise;
}

function ignore(): void {}
