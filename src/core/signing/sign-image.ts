import type { X509Certificate } from 'node:crypto';
import type { SecretBox } from '../access/secret-box.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { RefusedError } from '../errors.ts';
import type { Image } from '../images/image-records.ts';
import type { JobPayloads } from '../jobs/job-kinds.ts';
import type { Records } from '../metadata-store.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { attachArtifact } from '../transfer/attach-artifact.ts';
import type { Digest } from '../values/digest.ts';
import { JWS_TYPE, thumbprintOf, writeSignature } from './notary-signature.ts';
import { counts, readStored, signaturesBeside } from './profile-signatures.ts';
import { NOTARY_SIGNATURE } from './signature-kinds.ts';
import type { SignerProfile } from './signer-profile-records.ts';
import { openSignerKey } from './signer-profiles.ts';
import { certificatesOf } from './signing-certificates.ts';
import type { ImageSigning } from './signing-records.ts';

type Wanted = JobPayloads['sign-image'];

export interface SigningSettings {
  readonly box: SecretBox;
  /** How long a signature counts; as long as its certificate when left out. */
  readonly signatureSeconds?: number | undefined;
}

/** An image was not signed, and another attempt would come to the same. */
export class SigningError extends Error {
  /** For DescribeImageSigningStatus. */
  readonly code: string;
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'SigningError';
    this.code = code;
  }
}

/**
 * The job 'sign-image': signs an image by a profile and pushes the signature as an artifact that refers to it. Repeatable, and
 * may be done twice at the same time: an image that has a signature of the profile's gets no second one. Nothing happens when
 * the image is gone; one that was archived meanwhile is signed as well. Rejects with SigningError when that cannot be done; the status says so then.
 */
export async function signImage(
  dependencies: CoreDependencies,
  settings: SigningSettings,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<void> {
  const { read } = dependencies.metadata;
  const repository = await read.repositories.findById(wanted.repositoryId);
  const image = repository && (await read.images.find(repository.id, wanted.digest));
  if (!repository || !image) return;
  try {
    const profile = await usableProfile(dependencies, wanted.profileArn);
    const certificates = certificatesOf(profile.certificateChain);
    const task = { dependencies, repository, image, certificates };
    await ensureSignature(task, profile, settings, signal);
  } catch (error) {
    if (error instanceof SigningError) await endSigning(dependencies, wanted, failureOf(error));
    throw error;
  }
  await endSigning(dependencies, wanted, { status: 'COMPLETE' });
}

/** Ends the signing of an image that could not be signed, for whatever reason. */
export async function failSigning(dependencies: CoreDependencies, wanted: Wanted, error: unknown): Promise<void> {
  await endSigning(dependencies, wanted, failureOf(error));
}

type Outcome = Pick<ImageSigning, 'status' | 'failureCode' | 'failureReason'>;

const REASON_CHARACTERS_MAX = 1000;

function failureOf(error: unknown): Outcome {
  const failureCode = error instanceof SigningError ? error.code : 'InternalError';
  // What is not meant for whoever asks is in the log.
  const isTold = error instanceof SigningError || error instanceof RefusedError;
  const failureReason = isTold ? error.message : 'The image could not be signed; the log of the server says why';
  return { status: 'FAILED', failureCode, failureReason: failureReason.slice(0, REASON_CHARACTERS_MAX) };
}

async function endSigning(
  { metadata, now }: CoreDependencies,
  { repositoryId, digest, profileArn }: Wanted,
  outcome: Outcome,
): Promise<void> {
  const updatedAt = now();
  await metadata.transaction('repository', async (records) => {
    const repository = await records.repositories.findById(repositoryId);
    const image = repository && (await records.images.find(repository.id, digest));
    if (image) await records.signing.putStatus(image.id, { profileArn, ...outcome, updatedAt });
  });
}

async function usableProfile({ metadata }: CoreDependencies, arn: string): Promise<SignerProfile> {
  const profile = await metadata.read.signerProfiles.find(arn);
  if (!profile) throw new SigningError('SigningProfileNotFound', `The signing profile ${arn} does not exist`);
  if (profile.retiredAt) throw new SigningError('SigningProfileRetired', `The signing profile ${arn} was retired`);
  return profile;
}

interface Task {
  readonly dependencies: CoreDependencies;
  readonly repository: Repository;
  readonly image: Image;
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
}

/** Signs an image, however often another server does it meanwhile: one that holds this one for dead, or was held for dead. */
async function ensureSignature(
  task: Task,
  profile: SignerProfile,
  settings: SigningSettings,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const looked = await lookForSignature(task, signal);
    if (looked.isSigned) return;
    signal.throwIfAborted();
    try {
      return await attachSignature(task, profile, settings, looked.digests);
    } catch (error) {
      if (!(error instanceof UnseenSignatureError)) throw error;
    }
  }
}

/** A signature is there by now that was not looked at. */
class UnseenSignatureError extends Error {}

/** Whether there is a signature of the profile's that counts, with the digests of all that were looked at. */
async function lookForSignature({ dependencies, repository, image, certificates }: Task, signal: AbortSignal) {
  const digests = new Set<Digest>();
  for await (const digest of signaturesBeside(dependencies.metadata.read, repository, image.digest)) {
    signal.throwIfAborted();
    digests.add(digest);
    const signature = await readStored(dependencies, repository, digest);
    if (!signature || !counts(signature, image.digest, certificates[0], dependencies.now())) continue;
    return { isSigned: true, digests };
  }
  return { isSigned: false, digests };
}

/** @param seen the signatures that do not count; with another beside them this rejects with UnseenSignatureError */
async function attachSignature(
  task: Task,
  profile: SignerProfile,
  settings: SigningSettings,
  seen: ReadonlySet<Digest>,
): Promise<void> {
  const { dependencies, repository, image, certificates } = task;
  const { box, signatureSeconds } = settings;
  const signedAt = dependencies.now();
  requireValid(certificates, profile, signedAt);
  const privateKey = openKey(box, profile);
  const content = writeSignature(
    {
      image: { mediaType: image.mediaType, digest: image.digest, size: image.manifestBytes },
      signedAt,
      ...(signatureSeconds !== undefined && { expiresAt: secondsAfter(signedAt, signatureSeconds) }),
    },
    { keyType: profile.keyType, privateKey, certificates },
  );
  const annotations = {
    'io.cncf.notary.x509chain.thumbprint#S256': JSON.stringify(certificates.map(thumbprintOf)),
    'org.opencontainers.image.created': signedAt.toISOString(),
  };
  const artifact = { artifactType: NOTARY_SIGNATURE, mediaType: JWS_TYPE, content, annotations };
  const { registry, name: repositoryName } = repository;
  const caller = { kind: 'open', accountId: profile.registry.accountId, arn: profile.arn, userId: '' } as const;
  const recheck = async (records: Records) => {
    for await (const digest of signaturesBeside(records, repository, image.digest)) {
      if (!seen.has(digest)) throw new UnseenSignatureError(digest);
    }
  };
  await attachArtifact(dependencies, { caller, registry }, { repositoryName, image }, artifact, { recheck });
}

/** Clients would refuse what is signed after the end of a certificate. */
function requireValid(certificates: readonly X509Certificate[], { arn }: SignerProfile, at: Date): void {
  const ended = certificates.find(({ validTo }) => Date.parse(validTo) <= at.getTime());
  if (!ended) return;
  const reason = `A certificate of the signing profile ${arn} ended on ${ended.validTo}`;
  throw new SigningError('SigningCertificateExpired', reason);
}

function openKey(box: SecretBox, profile: SignerProfile) {
  try {
    return openSignerKey(box, profile);
  } catch (cause) {
    const reason = `The key of the signing profile ${profile.arn} cannot be opened: it was sealed under another key file`;
    throw new SigningError('SigningKeyUnavailable', reason, { cause });
  }
}
