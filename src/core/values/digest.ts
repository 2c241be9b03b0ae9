import { createHash } from 'node:crypto';

/** The algorithms the OCI image specification registers; ECR itself verifies sha256 alone. */
export type DigestAlgorithm = 'sha256' | 'sha512';

/** A digest in canonical form: algorithm, colon, lower-case hex of the algorithm's length. */
export type Digest = `${DigestAlgorithm}:${string}`;

const HEX_LENGTH: Record<DigestAlgorithm, number> = { sha256: 64, sha512: 128 };
const LOWER_HEX = /^[0-9a-f]+$/;

/** Reads a digest in canonical form (OCI image specification, "Digests"); undefined when it is not one. */
export function parseDigest(text: string): Digest | undefined {
  const colon = text.indexOf(':');
  const algorithm = text.slice(0, colon);
  if (algorithm !== 'sha256' && algorithm !== 'sha512') return undefined;
  const hex = text.slice(colon + 1);
  return hex.length === HEX_LENGTH[algorithm] && LOWER_HEX.test(hex) ? (text as Digest) : undefined;
}

/** The expression ECR names in its refusals; broader than what it can ever find. */
export const DIGEST_PATTERN = '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+';
const DIGEST_SHAPE = /^[a-zA-Z0-9\-_+.]+:[a-fA-F0-9]+$/;

/** Whether a text has the shape ECR asks of a digest, whatever its algorithm and length. */
export function hasDigestShape(text: string): boolean {
  return DIGEST_SHAPE.test(text);
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}
