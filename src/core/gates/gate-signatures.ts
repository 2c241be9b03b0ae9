import type { X509Certificate } from 'node:crypto';
import type { CoreDependencies } from '../dependencies.ts';
import type { ReadSignature } from '../signing/notary-signature.ts';
import { counts, readStored, type SignedRepository, signaturesBeside } from '../signing/profile-signatures.ts';
import type { SignerProfile } from '../signing/signer-profile-records.ts';
import { certificatesOf } from '../signing/signing-certificates.ts';
import type { Digest } from '../values/digest.ts';

/** Of the signatures beside an image: one is the profile's and verifies, there are none, or none that is good. */
export type SignatureLook = 'good' | 'none' | 'bad';

/** Verifies the signatures that gates ask for. */
export interface GateSignatures {
  look(repository: SignedRepository, imageDigest: Digest, profile: SignerProfile): Promise<SignatureLook>;
  /** Until when signatures of a profile count: they do not outlive the certificates that they rest on. */
  endOf(profile: SignerProfile): Date;
}

/** What was verified counts for so long, so that what happens to stored bytes is found while the server runs. */
const FRESH_MS = 60_000;
/** So many are kept, for who pulls the same again. */
const KEPT_SIGNATURES = 1000;
/** To read certificates takes longer than the rest of a look. */
const KEPT_SIGNERS = 100;

interface Signer {
  readonly certificate: X509Certificate;
  readonly endsAt: Date;
}

interface Kept {
  readonly readAt: number;
  readonly signature: Promise<ReadSignature | undefined>;
}

export function createGateSignatures(dependencies: CoreDependencies): GateSignatures {
  const { metadata, now } = dependencies;
  const kept = new Map<string, Kept>();
  const signers = new Map<string, Signer>();

  return {
    endOf: (profile) => signerOf(profile).endsAt,

    async look(repository, imageDigest, profile) {
      const { certificate } = signerOf(profile);
      let look: SignatureLook = 'none';
      for await (const digest of signaturesBeside(metadata.read, repository, imageDigest)) {
        const signature = await read(repository, digest);
        if (signature && counts(signature, imageDigest, certificate, now())) return 'good';
        look = 'bad';
      }
      return look;
    },
  };

  function signerOf({ certificateChain }: SignerProfile): Signer {
    const known = signers.get(certificateChain);
    if (known) return known;
    const certificates = certificatesOf(certificateChain);
    const ends = certificates.map(({ validTo }) => Date.parse(validTo));
    const signer = { certificate: certificates[0], endsAt: new Date(Math.min(...ends)) };
    if (signers.size >= KEPT_SIGNERS) signers.clear();
    signers.set(certificateChain, signer);
    return signer;
  }

  /** A signature whose bytes fit its digest and whose text fits the certificate that it carries. */
  function read(repository: SignedRepository, digest: Digest): Promise<ReadSignature | undefined> {
    const key = `${repository.id} ${digest}`;
    const at = now().getTime();
    const known = kept.get(key);
    if (known && Math.abs(at - known.readAt) < FRESH_MS) return known.signature;
    const signature = readStored(dependencies, repository, digest);
    kept.delete(key);
    kept.set(key, { readAt: at, signature });
    signature.catch(() => kept.delete(key));
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_SIGNATURES) break;
      kept.delete(oldest);
    }
    return signature;
  }
}
