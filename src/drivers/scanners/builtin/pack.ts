import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** More than any image's findings, or a layer's inventory, come to. */
const UNPACKED_BYTES_MAX = 512 * 1024 * 1024;

/** Plain JSON as it is kept: compressed. */
export async function pack(value: unknown): Promise<Uint8Array> {
  return compress(Buffer.from(JSON.stringify(value)));
}

export async function unpack(bytes: Uint8Array): Promise<unknown> {
  const text = await decompress(bytes, { maxOutputLength: UNPACKED_BYTES_MAX });
  return JSON.parse(text.toString('utf8'));
}
