import type { UploadedPart } from './bucket.ts';

/**
 * What is staged of an upload: bytes in a multipart upload or in an object, and after them a tail that is too small for a
 * part. It is one object in the bucket, replaced as a whole, so that an append counts altogether or not at all, and any node
 * can go on from it. What is in the bucket and not in a state is a remain.
 */
export interface StagedState {
  /** New with each write, so that the object's entity tag tells one state from another. */
  readonly revision: string;
  /** Undefined while there is only a tail. */
  readonly base?: OpenBase | ObjectBase;
  readonly tailBytes: number;
}

/** Bytes that no request can read yet. */
export interface OpenBase {
  readonly kind: 'open';
  readonly name: string;
  readonly multipartId: string;
  readonly parts: readonly UploadedPart[];
}

/** Bytes that were read before the upload ended. An object cannot grow: what follows takes a copy within the store. */
export interface ObjectBase {
  readonly kind: 'object';
  readonly name: string;
  readonly objectBytes: number;
  /** So many of them count. */
  readonly bytes: number;
}

export function baseBytesOf({ base }: Pick<StagedState, 'base'>): number {
  if (base === undefined) return 0;
  return base.kind === 'object' ? base.bytes : base.parts.reduce((sum, { bytes }) => sum + bytes, 0);
}

export function bytesOf(state: StagedState): number {
  return baseBytesOf(state) + state.tailBytes;
}

export function encodeState(state: StagedState, tail: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(state)}\n`), tail]);
}

export function decodeState(object: Buffer): { readonly state: StagedState; readonly tail: Buffer } {
  const state = decodeStart(object);
  const tail = object.subarray(object.indexOf('\n') + 1);
  if (tail.byteLength !== state.tailBytes) {
    throw new Error(`The tail of an upload has ${tail.byteLength} bytes instead of ${state.tailBytes}`);
  }
  return { state, tail };
}

/** Of an object of which perhaps only the start was read, but the whole first line. */
export function decodeStart(object: Buffer): StagedState {
  return JSON.parse(object.toString('utf8', 0, object.indexOf('\n'))) as StagedState;
}
