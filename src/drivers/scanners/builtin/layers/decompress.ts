import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { ScanError } from '../../../../core/scanning/scanner.ts';
import type { LayerLimits } from './layer-limits.ts';

const CHUNK_BYTES = 128 * 1024;

/**
 * The bytes of a layer's archive, whatever compresses them: the first bytes say what does, as the runtimes that unpack a
 * layer have it (containerd, docker), and not the media type, which is often wrong.
 *
 * @throws ScanError when the bytes are broken or are too many
 */
export async function* decompress(chunks: AsyncIterable<Uint8Array>, limits: LayerLimits): AsyncGenerator<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  try {
    const first = await source.next();
    if (first.done) return;
    const counts = { taken: 0, given: 0 };
    const decoder = decoderFor(first.value);
    const unpacked =
      decoder === undefined ? withFirst(first.value, source) : decoded(decoder, first.value, source, counts);
    for await (const chunk of unpacked) {
      counts.given += chunk.byteLength;
      if (decoder === undefined) counts.taken = counts.given;
      check(counts, limits);
      yield chunk;
    }
  } finally {
    await source.return?.();
  }
}

interface Counts {
  taken: number;
  given: number;
}

function decoderFor(first: Uint8Array): Transform | undefined {
  if (first[0] === 0x1f && first[1] === 0x8b) return zlib.createGunzip({ chunkSize: CHUNK_BYTES });
  // A frame of zstd, or one to be skipped, as the formats with a table of contents begin (RFC 8878, 3.1).
  const isZstd = first[0] === 0x28 && first[1] === 0xb5 && first[2] === 0x2f && first[3] === 0xfd;
  const isSkippable = (first[0]! & 0xf0) === 0x50 && first[1] === 0x2a && first[2] === 0x4d && first[3] === 0x18;
  if (isZstd || isSkippable) return zlib.createZstdDecompress({ chunkSize: CHUNK_BYTES });
  return undefined;
}

async function* withFirst(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  for (;;) {
    const { done, value } = await rest.next();
    if (done) return;
    yield value;
  }
}

async function* decoded(
  decoder: Transform,
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
  counts: Counts,
): AsyncGenerator<Uint8Array> {
  const feeding = feed(decoder, first, rest, counts);
  try {
    yield* decoder;
  } catch (error) {
    throw named(error);
  } finally {
    decoder.destroy();
    await feeding;
  }
}

/** A chunk is done with before the next is asked for: it may be the store's, which fills it anew then. */
async function feed(decoder: Transform, first: Uint8Array, rest: AsyncIterator<Uint8Array>, counts: Counts) {
  decoder.on('error', () => {});
  try {
    for await (const chunk of withFirst(first, rest)) {
      counts.taken += chunk.byteLength;
      await written(decoder, chunk);
      if (decoder.destroyed) return;
    }
    decoder.end();
  } catch (error) {
    decoder.destroy(error as Error);
  }
}

/** Resolves when the decoder has no more use for a chunk, because it is decoded or nobody wants it any more. */
function written(decoder: Transform, chunk: Uint8Array): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  decoder.once('close', resolve);
  decoder.write(chunk, () => {
    decoder.off('close', resolve);
    resolve();
  });
  return promise;
}

/** zlib's own errors; what the store throws stays as it is. */
function named(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'Z_BUF_ERROR') {
    return new ScanError('truncated-layer', `The compressed layer ends too early: ${message}`, { cause: error });
  }
  if (!/^(?:Z_|ZSTD_|ERR_ZLIB)/.test(code ?? '')) return error;
  return new ScanError('corrupt-layer', `The compressed layer is broken: ${message}`, { cause: error });
}

function check({ taken, given }: Counts, { bytesMax, ratioMax, ratioFromBytes }: LayerLimits): void {
  if (given > bytesMax) {
    throw new ScanError('layer-too-large', `The layer unpacks to more than ${bytesMax} bytes`);
  }
  if (given > ratioFromBytes && given > taken * ratioMax) {
    throw new ScanError(
      'suspicious-ratio',
      `${taken} bytes of the layer unpack to ${given}, more than ${ratioMax} times as many`,
    );
  }
}
