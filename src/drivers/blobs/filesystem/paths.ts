import { join } from 'node:path';
import type { BlobLocation } from '../../../core/blob-store.ts';
import { algorithmOf, type Digest, hexOf, parseDigest } from '../../../core/values/digest.ts';

/**
 * Where everything lies:
 *
 *   DIR/
 *     uploads/
 *       <uploadId>                      staged bytes of one upload
 *       .ready                          written and removed by the health check
 *     blobs/
 *       sha256/
 *         ab/
 *           <hex>.<uploadId>            sealed bytes; <hex> starts with ab
 *       sha512/
 *         …
 *
 * A location is the path of the sealed bytes relative to DIR/blobs: "sha256/ab/<hex>.<uploadId>". The upload id in it
 * gives two uploads of the same bytes two files.
 *
 * An archive is a second folder with `blobs` laid out in the same way. With one, each of the two has a folder `moving`
 * as well, for bytes that come from the other until they have all arrived.
 */
export class BlobPaths {
  readonly directory: string;
  readonly uploads: string;
  readonly blobs: string;
  readonly moving: string;
  readonly readyFile: string;

  constructor(directory: string) {
    this.directory = directory;
    this.uploads = join(directory, 'uploads');
    this.blobs = join(directory, 'blobs');
    this.moving = join(directory, 'moving');
    this.readyFile = join(this.uploads, '.ready');
  }

  /** Path of an upload's staged bytes; throws TypeError when the id is not a UUID. */
  staged(uploadId: string): string {
    if (!isUploadId(uploadId)) throw new TypeError(`Not an upload id: ${JSON.stringify(uploadId)}`);
    return join(this.uploads, uploadId);
  }

  /** Path of sealed bytes; throws TypeError when the location is not one that `locationOf` made. */
  sealed(location: BlobLocation): string {
    if (digestAt(location) === undefined) throw new TypeError(`Not a blob location: ${JSON.stringify(location)}`);
    return join(this.blobs, location);
  }
}

export function locationOf(digest: Digest, uploadId: string): BlobLocation {
  const hex = hexOf(digest);
  return `${algorithmOf(digest)}/${hex.slice(0, 2)}/${hex}.${uploadId}`;
}

/** The digest a location was made for; undefined when the text is no location. */
export function digestAt(location: BlobLocation): Digest | undefined {
  const [, algorithm, folder, hex, uploadId] = LOCATION.exec(location) ?? [];
  if (hex === undefined || !hex.startsWith(folder!) || !isUploadId(uploadId!)) return undefined;
  return parseDigest(`${algorithm}:${hex}`);
}

/** The upload that a location's bytes came by; the text is a location. */
export function uploadIdAt(location: BlobLocation): string {
  return location.slice(location.indexOf('.') + 1);
}

export function isUploadId(text: string): boolean {
  return UPLOAD_ID.test(text);
}

const UPLOAD_ID = /^[0-9a-f-]{36}$/i;
const LOCATION = /^(sha256|sha512)\/([0-9a-f]{2})\/([0-9a-f]+)\.([^/]+)$/;
