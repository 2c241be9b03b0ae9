import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** More than any image's findings, or a layer's inventory, come to. */
const UNPACKED_BYTES_MAX = 512 * 1024 * 1024;

/** Thousands of images are matched in a row, and what comes of each is packed: time counts more than bytes. */
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Plain JSON as it is kept: compressed. */
export async function pack(value: unknown): Promise<Uint8Array> {
  return compress(Buffer.from(JSON.stringify(value)), FAST);
}

export async function unpack(bytes: Uint8Array): Promise<unknown> {
  const text = await decompress(bytes, { maxOutputLength: UNPACKED_BYTES_MAX });
  return JSON.parse(text.toString('utf8'));
}
