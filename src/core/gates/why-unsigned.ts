import type { Reads } from '../metadata-store.ts';
import type { ImageSigning } from '../signing/signing-records.ts';
import type { Digest } from '../values/digest.ts';
import type { GatedImage } from './gate-records.ts';
import type { GateSignatures } from './gate-signatures.ts';
import type { StandingGate } from './gate-table.ts';

interface SigningFacts {
  readonly read: Pick<Reads, 'images' | 'signing' | 'signerProfiles'>;
  readonly signatures: GateSignatures;
  readonly now: () => Date;
}

/**
 * Why an image does not count as signed by the profile that a gate asks for: words to stand behind a colon, undefined when
 * it does. It does by a signature that verifies, wherever that was made. An index that lists it signs it too, since it names
 * its digest.
 */
export async function whyUnsigned(
  { read, signatures, now }: SigningFacts,
  { gate: { repositoryId, signedBy = '' }, registry, repositoryName }: StandingGate,
  digest: Digest,
  image: GatedImage | undefined,
): Promise<string | undefined> {
  if (!image) return 'it is on its way here';
  const profile = await read.signerProfiles.find(signedBy);
  if (!profile) return 'there is no such signer profile any more';
  const endsAt = signatures.endOf(profile);
  if (endsAt <= now()) return `a certificate of the profile ended on ${endsAt.toISOString()}`;
  const repository = { id: repositoryId, registry, name: repositoryName };
  const look = await signatures.look(repository, digest, profile);
  if (look === 'good') return undefined;
  for (const indexDigest of await read.images.indexesOf(repositoryId, digest)) {
    if ((await signatures.look(repository, indexDigest, profile)) === 'good') return undefined;
  }
  const statuses = await read.signing.statusesOf(image.imageId);
  const status = statuses.find(({ profileArn }) => profileArn === signedBy);
  if (status?.status !== 'COMPLETE') return describeStatus(status);
  return look === 'bad' ? 'its signature was altered, or has ended' : 'its signature is no longer there';
}

function describeStatus(signing: ImageSigning | undefined): string {
  if (!signing) return 'no rule had it signed';
  if (signing.status === 'IN_PROGRESS') return 'that is in progress';
  return `that failed${signing.failureReason === undefined ? '' : `: ${signing.failureReason}`}`;
}
