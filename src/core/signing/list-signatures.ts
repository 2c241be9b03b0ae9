import type { X509Certificate } from 'node:crypto';
import type { CoreDependencies } from '../dependencies.ts';
import type { Image, TaggedImage } from '../images/image-records.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { type Digest, parseDigest } from '../values/digest.ts';
import { readCosignSignatures } from './cosign-signatures.ts';
import { thumbprintOf } from './notary-signature.ts';
import { readStored } from './profile-signatures.ts';
import { cosignTagOf, digestOfCosignTag, type SignatureKind, signatureKindOf } from './signature-kinds.ts';

/** A signature that lies beside an image, whoever pushed it. Whether to trust its signer is for clients to say. */
export interface FoundSignature {
  readonly kind: SignatureKind;
  /** What it is said to be a signature of, as text: cosign's tag of any digest may be there. */
  readonly image: string;
  /** Of the artifact that holds it. */
  readonly digest: Digest;
  /** The subject of the signer's certificate, or what else the certificate calls it; absent for a bare key. */
  readonly signer?: string;
  /** SHA-256 of the signer's certificate in hexadecimal digits. */
  readonly thumbprint?: string;
  /** When it says that it was made, else when it was pushed. */
  readonly at: Date;
  readonly expiresAt?: Date;
  /** Of a Notary Project signature: whether it fits the certificate it carries and the image. Cosign's are not looked into. */
  readonly isIntact?: boolean;
}

const PAGE = 100;

/** The signatures of one image, or of all of a repository in the order of their digests. */
export async function* listSignatures(
  dependencies: CoreDependencies,
  repository: Repository,
  image?: Pick<Image, 'digest'>,
): AsyncGenerator<FoundSignature> {
  const artifacts = image
    ? artifactsOf(dependencies, repository, image.digest)
    : allArtifacts(dependencies, repository);
  for await (const { artifact, tag, subject, kind } of artifacts) {
    if (kind === 'notary') yield await readNotary(dependencies, repository, artifact, subject);
    else yield* readCosign(dependencies, repository, { artifact, tag, subject });
  }
}

type Artifact = Pick<Image, 'digest' | 'pushedAt' | 'mediaType'>;

interface Found {
  readonly artifact: Artifact;
  readonly tag: string | undefined;
  readonly subject: string;
  readonly kind: SignatureKind;
}

async function* artifactsOf(
  { metadata: { read } }: CoreDependencies,
  { id }: Repository,
  subject: Digest,
): AsyncGenerator<Found> {
  for (let after = ''; ; ) {
    const page = await read.images.referrers(id, subject, { imageStatus: 'ANY' }, after, PAGE);
    for (const artifact of page) {
      const kind = signatureKindOf(artifact.artifactType, undefined);
      if (kind) yield { artifact, tag: undefined, subject, kind };
    }
    const last = page.at(-1);
    if (!last) break;
    after = last.digest;
  }
  const tag = cosignTagOf(subject);
  const artifact = await read.images.findByTag(id, tag);
  if (artifact && artifact.subjectDigest !== subject) yield { artifact, tag, subject, kind: 'cosign' };
}

async function* allArtifacts({ metadata: { read } }: CoreDependencies, { id }: Repository): AsyncGenerator<Found> {
  const filter = { tagStatus: 'ANY', imageStatus: 'ANY' } as const;
  for (let after = ''; ; ) {
    const page = await read.images.page(id, filter, after, PAGE);
    for (const artifact of page) yield* foundIn(artifact);
    const last = page.at(-1);
    if (!last) return;
    after = last.digest;
  }
}

function* foundIn(artifact: TaggedImage): Generator<Found> {
  const { artifactType, subjectDigest, tags } = artifact;
  const kind = signatureKindOf(artifactType, undefined);
  if (kind && subjectDigest) return yield { artifact, tag: undefined, subject: subjectDigest, kind };
  for (const tag of tags) {
    const subject = digestOfCosignTag(tag);
    if (subject !== undefined && tag === cosignTagOf(subject)) yield { artifact, tag, subject, kind: 'cosign' };
  }
}

async function readNotary(
  dependencies: CoreDependencies,
  repository: Repository,
  { digest, pushedAt }: Artifact,
  subject: string,
): Promise<FoundSignature> {
  const read = await readStored(dependencies, repository, digest);
  if (!read) return { kind: 'notary', image: subject, digest, at: pushedAt, isIntact: false };
  const { signer, signedAt, expiresAt } = read;
  return {
    kind: 'notary',
    image: subject,
    digest,
    signer: signer.subject.replaceAll('\n', ', '),
    thumbprint: thumbprintOf(signer),
    at: signedAt,
    ...(expiresAt && { expiresAt }),
    isIntact: read.digest === parseDigest(subject),
  };
}

async function* readCosign(
  dependencies: CoreDependencies,
  repository: Repository,
  { artifact, subject }: Omit<Found, 'kind'>,
): AsyncGenerator<FoundSignature> {
  const { digest, pushedAt: at } = artifact;
  for (const certificate of await readCosignSignatures(dependencies, repository, artifact)) {
    const signer = certificate && describeSigner(certificate);
    yield { kind: 'cosign', image: subject, digest, ...signer, at };
  }
}

/** Sigstore's certificates name the signer as an alternative, and have no subject. */
function describeSigner(certificate: X509Certificate): Pick<FoundSignature, 'signer' | 'thumbprint'> {
  const signer = certificate.subjectAltName ?? certificate.subject?.replaceAll('\n', ', ');
  return { ...(signer && { signer }), thumbprint: thumbprintOf(certificate) };
}
