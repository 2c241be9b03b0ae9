import { assemble } from './assemble.ts';
import type { Bucket } from './bucket.ts';
import { dataKey } from './keys.ts';
import { partBytesMin } from './part-sizes.ts';
import { baseBytesOf, type ObjectBase, type OpenBase } from './staged-state.ts';
import type { Staged } from './staged-uploads.ts';

type Cut = { readonly base?: OpenBase | ObjectBase; readonly tail: Buffer };

/**
 * What is staged without the bytes after the first `bytes`. Whole parts are left out of the list; S3 drops what is not listed.
 * To cut within a part, its multipart upload has to become an object.
 */
export async function cutBack(bucket: Bucket, uploadId: string, staged: Staged, bytes: number): Promise<Cut> {
  const { base } = staged.state;
  const baseBytes = baseBytesOf(staged.state);
  if (base === undefined) return { tail: staged.tail.subarray(0, bytes) };
  if (bytes >= baseBytes) return { base, tail: staged.tail.subarray(0, bytes - baseBytes) };
  const cut = base.kind === 'open' ? cutParts(base, bytes) : undefined;
  if (cut !== undefined) return { base: cut, tail: EMPTY };

  const whole = { ...staged, state: { ...staged.state, tailBytes: 0 }, tail: EMPTY };
  const object = await assemble(bucket, uploadId, whole);
  if (bytes >= partBytesMin(1)) return { base: { ...object, bytes }, tail: EMPTY };
  const start = await bucket.read(dataKey(uploadId, object.name), { first: 0, last: bytes - 1 });
  if (start === undefined) throw new Error(`The staged bytes of upload ${uploadId} are gone`);
  return { tail: start.body };
}

/** Undefined when the cut is within a part. */
function cutParts(base: OpenBase, bytes: number): OpenBase | undefined {
  let sum = 0;
  for (const [index, part] of base.parts.entries()) {
    sum += part.bytes;
    if (sum === bytes) return { ...base, parts: base.parts.slice(0, index + 1) };
  }
  return undefined;
}

const EMPTY = Buffer.alloc(0);
