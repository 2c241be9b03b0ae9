import type { ImageReference } from '../../core/images/images.ts';
import { type Digest, parseDigest } from '../../core/values/digest.ts';
import { OciError } from './errors.ts';

/** Reads a digest that a client wrote; refuses with DIGEST_INVALID. */
export function digestFrom(text: string | null): Digest {
  const digest = text === null ? undefined : parseDigest(text);
  if (digest !== undefined) return digest;
  const found = text === null ? 'The digest parameter is missing' : `'${text.slice(0, 200)}' is not a digest`;
  throw new OciError(400, 'DIGEST_INVALID', `${found}: sha256 or sha512, a colon, and as many lower-case hex digits`);
}

/** A tag never holds a colon, a digest always does. Whether a tag is well-formed matters only where it is set. */
export function referenceFrom(text: string): ImageReference {
  return text.includes(':') ? { digest: digestFrom(text) } : { tag: text };
}
