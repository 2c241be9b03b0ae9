import { join } from 'node:path';
import type { BlobLocation } from '../../../core/blob-store.ts';
import { algorithmOf, type Digest, hexOf, parseDigest } from '../../../core/values/digest.ts';
import type { StagedFiles } from './encrypted/staged-files.ts';

/**
 * Where everything lies:
 *
 *   DIR/
 *     uploads/
 *       <uploadId>                      staged bytes of one upload
 *       <uploadId>.chunks               staged bytes of one that is encrypted: its whole chunks
 *       <uploadId>.tail                 and what comes after them; see encrypted/staged-files.ts
 *       <uploadId>.tail.new
 *       .ready                          written and removed by the health check
 *     blobs/
 *       sha256/
 *         ab/
 *           <hex>.<uploadId>            sealed bytes; <hex> starts with ab
 *           <hex>.<uploadId>.encrypted  the same, encrypted; see encrypted/sealed-layout.ts
 *       sha512/
 *         …
 *
 * A location is the path of the sealed bytes relative to DIR/blobs: "sha256/ab/<hex>.<uploadId>". The upload id in it
 * gives two uploads of the same bytes two files. Digests are those of the plain bytes everywhere.
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

  /** Paths of an encrypted upload's staged bytes; throws TypeError when the id is not a UUID. */
  encryptedStaged(uploadId: string): StagedFiles {
    const staged = this.staged(uploadId);
    return {
      chunks: `${staged}${CHUNKS_SUFFIX}`,
      tail: `${staged}${TAIL_SUFFIX}`,
      newTail: `${staged}${TAIL_SUFFIX}.new`,
    };
  }

  /** Path of sealed bytes; throws TypeError when the location is not one that `locationOf` made. */
  sealed(location: BlobLocation): string {
    if (digestAt(location) === undefined) throw new TypeError(`Not a blob location: ${JSON.stringify(location)}`);
    return join(this.blobs, location);
  }
}

export function locationOf(digest: Digest, uploadId: string, kept: 'plain' | 'encrypted' = 'plain'): BlobLocation {
  const hex = hexOf(digest);
  const suffix = kept === 'encrypted' ? ENCRYPTED_SUFFIX : '';
  return `${algorithmOf(digest)}/${hex.slice(0, 2)}/${hex}.${uploadId}${suffix}`;
}

export function isEncryptedAt(location: BlobLocation): boolean {
  return location.endsWith(ENCRYPTED_SUFFIX);
}

/** The upload that a file of encrypted staged bytes is of; undefined for any other name. */
export function encryptedUploadOf(name: string): { uploadId: string; file: 'chunks' | 'tail' } | undefined {
  const uploadId = name.slice(0, UPLOAD_ID_LENGTH);
  const file = { [CHUNKS_SUFFIX]: 'chunks', [TAIL_SUFFIX]: 'tail' }[name.slice(UPLOAD_ID_LENGTH)];
  return isUploadId(uploadId) && file !== undefined ? { uploadId, file: file as 'chunks' | 'tail' } : undefined;
}

/** The digest a location was made for; undefined when the text is no location. */
export function digestAt(location: BlobLocation): Digest | undefined {
  const [, algorithm, folder, hex] = LOCATION.exec(location) ?? [];
  if (hex === undefined || !hex.startsWith(folder!) || !isUploadId(uploadIdAt(location))) return undefined;
  return parseDigest(`${algorithm}:${hex}`);
}

/** The upload that a location's bytes came by; the text is a location. */
export function uploadIdAt(location: BlobLocation): string {
  const named = location.slice(location.indexOf('.') + 1);
  return isEncryptedAt(location) ? named.slice(0, -ENCRYPTED_SUFFIX.length) : named;
}

export function isUploadId(text: string): boolean {
  return UPLOAD_ID.test(text);
}

const UPLOAD_ID_LENGTH = 36;
const CHUNKS_SUFFIX = '.chunks';
const TAIL_SUFFIX = '.tail';
const ENCRYPTED_SUFFIX = '.encrypted';

const UPLOAD_ID = /^[0-9a-f-]{36}$/i;
const LOCATION = /^(sha256|sha512)\/([0-9a-f]{2})\/([0-9a-f]+)\.([^/]+)$/;
