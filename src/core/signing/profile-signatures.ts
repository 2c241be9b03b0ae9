import type { X509Certificate } from 'node:crypto';
import type { CoreDependencies } from '../dependencies.ts';
import { mendsItself } from '../encryption/key-refusals.ts';
import { readDocument } from '../layers/read-document.ts';
import { type Reads, StoreUnavailableError } from '../metadata-store.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { algorithmOf, type Digest, digestOf } from '../values/digest.ts';
import { parseManifest } from '../values/manifest.ts';
import { isSignedBy, JWS_TYPE, type ReadSignature, readSignature } from './notary-signature.ts';
import { NOTARY_SIGNATURE } from './signature-kinds.ts';

/** Where signatures lie. */
export type SignedRepository = Pick<Repository, 'id' | 'registry' | 'name'>;

const PAGE = 100;

/** The artifacts beside an image that say of themselves that they are signatures of the Notary Project's. */
export async function* signaturesBeside(
  { images }: Pick<Reads, 'images'>,
  { id }: Pick<Repository, 'id'>,
  imageDigest: Digest,
): AsyncGenerator<Digest> {
  const filter = { artifactTypes: [NOTARY_SIGNATURE], imageStatus: 'ACTIVE' } as const;
  for (let after = ''; ; ) {
    const page = await images.referrers(id, imageDigest, filter, after, PAGE);
    for (const { digest } of page) yield digest;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.digest;
  }
}

/** Whether what a signature says is about an image, and the key of a certificate says it, now: anybody may push others. */
export function counts(
  signature: ReadSignature,
  imageDigest: Digest,
  certificate: X509Certificate,
  now: Date,
): boolean {
  const { digest, expiresAt } = signature;
  return digest === imageDigest && isSignedBy(signature, certificate) && (!expiresAt || expiresAt > now);
}

/**
 * Reads a signature as it is kept. Whatever is wrong with its bytes is the signature's fault, and no reason why another beside
 * it should not be looked at.
 *
 * @returns undefined when it is none, gone, unreadable, or not the bytes that it should be
 * @throws while nobody can say what its bytes are, because the database or the key service does not answer
 */
export async function readStored(
  dependencies: CoreDependencies,
  repository: SignedRepository,
  digest: Digest,
): Promise<ReadSignature | undefined> {
  const stored = await dependencies.metadata.read.images.manifest(repository.id, digest);
  if (!stored || !isOf(stored.bytes, digest)) return undefined;
  const [envelope, ...others] = parseManifest(stored.bytes, stored.mediaType).blobs.slice(1);
  if (!envelope || others.length > 0 || envelope.mediaType !== JWS_TYPE) return undefined;
  const bytes = await readDocument(dependencies, repository, envelope).catch((error) => {
    if (error instanceof StoreUnavailableError || mendsItself(error)) throw error;
    return undefined;
  });
  return bytes && isOf(bytes, envelope.digest) ? readSignature(bytes) : undefined;
}

function isOf(bytes: Uint8Array, digest: Digest): boolean {
  return digestOf(bytes, algorithmOf(digest)) === digest;
}
