import type { Reads } from '../metadata-store.ts';
import { NOTARY_SIGNATURE } from '../signing/signature-kinds.ts';
import type { ImageSigning } from '../signing/signing-records.ts';
import type { Digest } from '../values/digest.ts';
import type { GatedImage } from './gate-records.ts';
import type { StandingGate } from './gate-table.ts';

type SigningFacts = Pick<Reads, 'gates' | 'images' | 'signing'>;

/**
 * Why an image does not count as signed by the profile that a gate asks for: words to stand behind a colon, undefined when
 * it does. An index that lists it signs it too, since it names its digest.
 */
export async function whyUnsigned(
  read: SigningFacts,
  standing: StandingGate,
  digest: Digest,
  image: GatedImage | undefined,
): Promise<string | undefined> {
  const own = image ? await whyNotItself(read, standing, digest, image) : 'it is on its way here';
  if (own === undefined) return undefined;
  const { gate, scanType } = standing;
  for (const indexDigest of await read.images.indexesOf(gate.repositoryId, digest)) {
    const index = await read.gates.image(gate.repositoryId, indexDigest, scanType);
    if (index && (await whyNotItself(read, standing, indexDigest, index)) === undefined) return undefined;
  }
  return own;
}

async function whyNotItself(
  { images, signing }: SigningFacts,
  { gate }: StandingGate,
  digest: Digest,
  { imageId }: GatedImage,
): Promise<string | undefined> {
  const statuses = await signing.statusesOf(imageId);
  const status = statuses.find(({ profileArn }) => profileArn === gate.signedBy);
  if (status?.status !== 'COMPLETE') return describeStatus(status);
  const wanted = { artifactTypes: [NOTARY_SIGNATURE], imageStatus: 'ACTIVE' } as const;
  const found = await images.referrers(gate.repositoryId, digest, wanted, '', 1);
  return found.length > 0 ? undefined : 'its signature is no longer there';
}

function describeStatus(signing: ImageSigning | undefined): string {
  if (!signing) return 'no rule had it signed';
  if (signing.status === 'IN_PROGRESS') return 'that is in progress';
  return `that failed${signing.failureReason === undefined ? '' : `: ${signing.failureReason}`}`;
}
