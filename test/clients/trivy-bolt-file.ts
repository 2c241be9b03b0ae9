/** A bucket of bbolt: keys with bytes or with further buckets. */
export interface BoltBucket {
  readonly [key: string]: Uint8Array | BoltBucket;
}

const PAGE_BYTES = 4096;
const Flag = { leaf: 2, meta: 4, freelist: 16 };
/** Of an element: it is a bucket. */
const BUCKET = 1;
const PAGE_HEADER_BYTES = 16;
const ELEMENT_BYTES = 16;

/**
 * A file that bbolt opens (etcd-io/bbolt, the file format): two pages that say where the root is, a list of free pages that
 * is empty, and a leaf for each bucket, as long as it must be.
 */
export function boltFile(root: BoltBucket): Buffer {
  const pages: Buffer[] = [];
  let next = 3;
  const place = (bucket: BoltBucket): number => {
    const leaf = leafOf(bucket, place);
    const id = next;
    const count = Math.ceil(leaf.length / PAGE_BYTES);
    leaf.writeBigUInt64LE(BigInt(id), 0);
    leaf.writeUInt32LE(count - 1, 12);
    pages.push(Buffer.concat([leaf, Buffer.alloc(count * PAGE_BYTES - leaf.length)]));
    next += count;
    return id;
  };
  const rootId = place(root);
  const freelist = page(2, Flag.freelist);
  return Buffer.concat([meta(0, rootId, next), meta(1, rootId, next), freelist, ...pages]);
}

/** Without its id and length. */
function leafOf(bucket: BoltBucket, place: (bucket: BoltBucket) => number): Buffer {
  const entries = Object.entries(bucket)
    .map(([key, value]) => ({ key: Buffer.from(key), value }))
    .sort((one, other) => Buffer.compare(one.key, other.key));
  const head = Buffer.alloc(PAGE_HEADER_BYTES + entries.length * ELEMENT_BYTES);
  head.writeUInt16LE(Flag.leaf, 8);
  head.writeUInt16LE(entries.length, 10);
  const parts: Buffer[] = [head];
  let end = head.length;
  for (const [at, { key, value }] of entries.entries()) {
    const isBytes = value instanceof Uint8Array;
    const bytes = isBytes ? Buffer.from(value) : bucketHeader(place(value));
    const element = PAGE_HEADER_BYTES + at * ELEMENT_BYTES;
    head.writeUInt32LE(isBytes ? 0 : BUCKET, element);
    head.writeUInt32LE(end - element, element + 4);
    head.writeUInt32LE(key.length, element + 8);
    head.writeUInt32LE(bytes.length, element + 12);
    parts.push(key, bytes);
    end += key.length + bytes.length;
  }
  return Buffer.concat(parts);
}

/** Where the bucket's page is, and a sequence that nobody uses. */
function bucketHeader(rootId: number): Buffer {
  const header = Buffer.alloc(16);
  header.writeBigUInt64LE(BigInt(rootId), 0);
  return header;
}

function page(id: number, flags: number): Buffer {
  const bytes = Buffer.alloc(PAGE_BYTES);
  bytes.writeBigUInt64LE(BigInt(id), 0);
  bytes.writeUInt16LE(flags, 8);
  return bytes;
}

function meta(id: number, rootId: number, pages: number): Buffer {
  const bytes = page(id, Flag.meta);
  const body = bytes.subarray(PAGE_HEADER_BYTES);
  body.writeUInt32LE(0xed0cdaed, 0);
  body.writeUInt32LE(2, 4);
  body.writeUInt32LE(PAGE_BYTES, 8);
  body.writeBigUInt64LE(BigInt(rootId), 16);
  body.writeBigUInt64LE(2n, 32);
  body.writeBigUInt64LE(BigInt(pages), 40);
  body.writeBigUInt64LE(BigInt(id), 48);
  body.writeBigUInt64LE(fnv1a(body.subarray(0, 56)), 56);
  return bytes;
}

function fnv1a(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}
