import { inflateRawSync } from 'node:zlib';
import type { ByteSource } from './byte-source.ts';

/** A file in a zip archive, as its directory says. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly offset: number;
}

/** The archive is broken, or asks for more than it gets. */
export class ZipError extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'ZipError';
  }
}

export const DIRECTORY_BYTES_MAX = 256 * 1024 * 1024;

/**
 * The files in an archive's central directory (PKWARE APPNOTE 4.3, with zip64).
 *
 * @throws ZipError when it has no directory that can be read, or a larger one than `directoryBytesMax`
 */
export async function* zipEntries(
  source: ByteSource,
  directoryBytesMax: number = DIRECTORY_BYTES_MAX,
): AsyncGenerator<ZipEntry> {
  const { offset, bytes } = await findDirectory(source);
  if (bytes > directoryBytesMax || offset + bytes > source.bytes)
    throw new ZipError('The directory is not in the archive');
  const directory = await source.read(offset, bytes);
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === DIRECTORY_ENTRY; ) {
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30);
    const extraAt = at + 46 + nameBytes;
    const next = extraAt + extraBytes + directory.readUInt16LE(at + 32);
    if (next > directory.length) throw new ZipError('The directory is broken');
    const extra = directory.subarray(extraAt, extraAt + extraBytes);
    const [large = 0, packed = 0, local = 0] = wide(extra, [
      directory.readUInt32LE(at + 24),
      directory.readUInt32LE(at + 20),
      directory.readUInt32LE(at + 42),
    ]);
    yield {
      name: directory.toString('utf8', at + 46, extraAt),
      method: directory.readUInt16LE(at + 10),
      packedBytes: packed,
      bytes: large,
      offset: local,
    };
    at = next;
  }
}

/** @throws ZipError when it has more than `bytesMax` bytes, or others than it says */
export async function readZipEntry(source: ByteSource, entry: ZipEntry, bytesMax: number): Promise<Buffer> {
  if (entry.bytes > bytesMax || entry.packedBytes > bytesMax)
    throw new ZipError(`${entry.name} has ${entry.bytes} bytes`);
  try {
    const start = await dataOffset(source, entry);
    const packed = await source.read(start, entry.packedBytes);
    if (entry.method === STORED) return packed;
    if (entry.method !== DEFLATED) throw new ZipError(`${entry.name} is packed with method ${entry.method}`);
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.bytes) });
  } catch (error) {
    if (error instanceof ZipError) throw error;
    throw new ZipError(`${entry.name} cannot be read`, { cause: error });
  }
}

/** Where the bytes of an entry begin, behind a header of its own. */
async function dataOffset(source: ByteSource, { name, offset }: ZipEntry): Promise<number> {
  if (offset + 30 > source.bytes) throw new ZipError(`${name} is not in the archive`);
  const header = await source.read(offset, 30);
  if (header.readUInt32LE(0) !== LOCAL_ENTRY) throw new ZipError(`${name} is not where the directory says`);
  return offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
}

const STORED = 0;
const DEFLATED = 8;

const LOCAL_ENTRY = 0x04034b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_END = Buffer.from('PK\x05\x06', 'latin1');
const DIRECTORY_END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const WIDE = 0xffffffff;

/** Its end is followed by a comment alone. */
async function findDirectory(source: ByteSource): Promise<{ offset: number; bytes: number }> {
  const tailBytes = Math.min(source.bytes, 22 + 0xffff + 20);
  const tail = await source.read(source.bytes - tailBytes, tailBytes);
  const end = tail.lastIndexOf(DIRECTORY_END);
  if (end < 0 || end + 22 > tail.length) throw new ZipError('There is no directory at the end');
  const bytes = tail.readUInt32LE(end + 12);
  const offset = tail.readUInt32LE(end + 16);
  const isWide = offset === WIDE || bytes === WIDE || tail.readUInt16LE(end + 10) === 0xffff;
  if (!isWide || end < 20 || tail.readUInt32LE(end - 20) !== LOCATOR_64) {
    return { offset, bytes };
  }
  const at = Number(tail.readBigUInt64LE(end - 12));
  if (at + 56 > source.bytes) throw new ZipError('The directory is not in the archive');
  const wideEnd = await source.read(at, 56);
  if (wideEnd.readUInt32LE(0) !== DIRECTORY_END_64) throw new ZipError('The directory is broken');
  return { bytes: Number(wideEnd.readBigUInt64LE(40)), offset: Number(wideEnd.readBigUInt64LE(48)) };
}

/** Sizes and offset; those that do not fit stand in a field of zip64, in this order. */
function wide(extra: Buffer, values: readonly number[]): readonly number[] {
  if (!values.includes(WIDE)) return values;
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let place = at + 4;
    return values.map((value) => {
      if (value !== WIDE || place + 8 > extra.length) return value;
      place += 8;
      return Number(extra.readBigUInt64LE(place - 8));
    });
  }
  return values;
}
