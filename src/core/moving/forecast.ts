import type { MetadataStore } from '../metadata-store.ts';

export interface BytesForecast {
  readonly blobs: number;
  readonly bytes: number;
  /** Of blobs that are encrypted. */
  readonly encrypted: number;
  readonly uploads: number;
}

const PAGE = 1000;
const UPLOADS_MAX = 1_000_000;
const EVER = new Date(8.64e15);

/** What a move of all bytes would copy. */
export async function forecastBytes(metadata: MetadataStore): Promise<BytesForecast> {
  const uploads = (await metadata.read.uploads.idle(EVER, UPLOADS_MAX)).length;
  let [blobs, bytes, encrypted] = [0, 0, 0];
  for (let afterId = 0; ; ) {
    const page = await metadata.read.blobs.page(afterId, PAGE);
    const last = page.at(-1);
    if (last === undefined) return { blobs, bytes, encrypted, uploads };
    afterId = last.id;
    for (const blob of page) {
      blobs++;
      bytes += blob.bytes;
      if (blob.protection !== undefined) encrypted++;
    }
  }
}
