import type { IncomingMessage } from 'node:http';
import { BodyTooLargeError, contentLengthOf, readBody } from '../../http/body.ts';
import type { ByteBudget } from '../../http/byte-budget.ts';
import { AwsError } from './errors.ts';
import { type LayerPart, splitPartBody } from './layers/part-body.ts';
import type { OperationName } from './operation.ts';

/** Disposing frees the body's memory, and with it what a `layerPart` is decoded from. */
export interface RequestBody extends Disposable {
  readonly bytes: Buffer;
}

export interface ParsedBody {
  readonly json: unknown;
  readonly layerPart: LayerPart | undefined;
}

/** 20 MiB of layer in base64, with room for clients that escape some of its characters. */
const PART_BYTES_MAX = 32 * 1024 * 1024;
/** A manifest of 4 MiB as a JSON string: up to six characters for one. */
const IMAGE_BYTES_MAX = 26 * 1024 * 1024;
const OTHER_BYTES_MAX = 1024 * 1024;
/** Bodies up to here are too small to stand in line for. */
const UNBUDGETED_BYTES_MAX = 64 * 1024;

/**
 * Room in the budget for a request's body, waiting until there is some. A body that does not say its length takes
 * what it may take at most.
 */
export async function admitBody(
  request: IncomingMessage,
  name: OperationName,
  budget: ByteBudget,
): Promise<Disposable> {
  const bytesMax = bytesMaxOf(name);
  const bytes = contentLengthOf(request) ?? bytesMax;
  if (bytes > bytesMax) throw tooLarge(name, bytesMax);
  return bytes > UNBUDGETED_BYTES_MAX ? budget.acquire(bytes) : { [Symbol.dispose]() {} };
}

export async function readRequestBody(request: IncomingMessage, name: OperationName): Promise<RequestBody> {
  const bytes = await readBytes(request, name);
  return { bytes, [Symbol.dispose]: () => freeNow(bytes) };
}

/** An empty body counts as `{}` (AWS JSON 1.1, requests without input). The memory of an UploadLayerPart is written to. */
export function parseRequestBody(bytes: Buffer, name: OperationName): ParsedBody {
  const { rest, layerPart } = name === 'UploadLayerPart' ? splitPartBody(bytes) : { rest: bytes, layerPart: undefined };
  return { json: rest.length === 0 ? {} : parseJson(rest), layerPart };
}

/** Gives back memory that the collector, which sees few small objects, would leave for later: 14 MB of it per part. */
function freeNow(body: Buffer): void {
  if (body.buffer instanceof ArrayBuffer && body.byteLength === body.buffer.byteLength) body.buffer.transfer(0);
}

async function readBytes(request: IncomingMessage, name: OperationName): Promise<Buffer> {
  const bytesMax = bytesMaxOf(name);
  try {
    return await readBody(request, { bytesMax });
  } catch (error) {
    if (error instanceof BodyTooLargeError) throw tooLarge(name, bytesMax);
    throw error;
  }
}

function bytesMaxOf(name: OperationName): number {
  if (name === 'UploadLayerPart') return PART_BYTES_MAX;
  return name === 'PutImage' ? IMAGE_BYTES_MAX : OTHER_BYTES_MAX;
}

/** Text that is not UTF-8 is refused, not mended: a manifest's digest is over its bytes. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new AwsError('SerializationException', 'The request body is not JSON in UTF-8');
  }
}

function tooLarge(name: OperationName, bytesMax: number): AwsError {
  const message = `The request body of ${name} is larger than ${bytesMax} bytes`;
  return new AwsError('RequestEntityTooLargeException', message, { status: 413 });
}
