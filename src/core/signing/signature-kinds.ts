/** Signatures of the Notary Project: notation's, and those made here. */
export const NOTARY_SIGNATURE = 'application/vnd.cncf.notary.signature';

/** Cosign's: one layer for each signature under a tag, referrers of its experiments, and bundles since its version 3. */
const COSIGN_TYPES = ['application/vnd.dev.cosign.', 'application/vnd.dev.sigstore.'];
/** `sha256-<hex>.sig` is cosign's tag for the signatures of the image with the digest `sha256:<hex>`, `.att` that of its attestations. */
const COSIGN_TAG = /^(sha256|sha512)-([0-9a-f]{64,128})\.(?:sig|att)$/;

export type SignatureKind = 'notary' | 'cosign';

/** What kind of signature an artifact is, by its type or the tag that it has; undefined when it is none. */
export function signatureKindOf(artifactType: string | undefined, tag: string | undefined): SignatureKind | undefined {
  if (artifactType === NOTARY_SIGNATURE) return 'notary';
  if (COSIGN_TYPES.some((prefix) => artifactType?.startsWith(prefix))) return 'cosign';
  return tag !== undefined && COSIGN_TAG.test(tag) ? 'cosign' : undefined;
}

/** The digest, as text, of the image that a tag of cosign's speaks of. */
export function digestOfCosignTag(tag: string): string | undefined {
  const [, algorithm, hex] = COSIGN_TAG.exec(tag) ?? [];
  return algorithm === undefined ? undefined : `${algorithm}:${hex}`;
}

export function cosignTagOf(digest: string): string {
  return `${digest.replace(':', '-')}.sig`;
}
