import { X509Certificate } from 'node:crypto';
import type { CoreDependencies } from '../dependencies.ts';
import type { Image } from '../images/image-records.ts';
import { readDocument } from '../layers/read-document.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { parseDigest } from '../values/digest.ts';

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.';
const CERTIFICATE = 'dev.sigstore.cosign/certificate';
/** What a bundle says of an image that it signs; every other predicate is an attestation. */
const SIGNS = 'https://sigstore.dev/cosign/sign/v1';

interface Layer {
  readonly mediaType?: string;
  readonly digest?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One entry for each signature that an artifact of cosign's holds: its certificate, or undefined for one by a bare key. */
export async function readCosignSignatures(
  dependencies: CoreDependencies,
  repository: Repository,
  { digest }: Pick<Image, 'digest'>,
): Promise<(X509Certificate | undefined)[]> {
  const stored = await dependencies.metadata.read.images.manifest(repository.id, digest);
  const { layers = [] }: { layers?: readonly Layer[] } = stored ? JSON.parse(Buffer.from(stored.bytes).toString()) : {};
  const signatures: (X509Certificate | undefined)[] = [];
  for (const layer of layers) {
    if (layer.mediaType === SIMPLE_SIGNING) signatures.push(certificateOr(layer.annotations?.[CERTIFICATE]));
    else if (layer.mediaType?.startsWith(BUNDLE)) {
      signatures.push(...(await readBundle(dependencies, repository, layer)));
    }
  }
  return signatures;
}

/** The Sigstore bundle format: a certificate, a chain of them, or the hint of a key. None for an attestation. */
async function readBundle(
  dependencies: CoreDependencies,
  repository: Repository,
  layer: Layer,
): Promise<(X509Certificate | undefined)[]> {
  const digest = parseDigest(layer.digest ?? '');
  const bytes = digest && (await readDocument(dependencies, repository, { digest }));
  if (!bytes) return [undefined];
  try {
    const { verificationMaterial, dsseEnvelope } = JSON.parse(bytes.toString());
    if (dsseEnvelope && predicateTypeOf(dsseEnvelope) !== SIGNS) return [];
    const { certificate, x509CertificateChain } = verificationMaterial;
    const raw = certificate?.rawBytes ?? x509CertificateChain?.certificates?.[0]?.rawBytes;
    return [certificateOr(raw === undefined ? undefined : Buffer.from(raw, 'base64'))];
  } catch {
    return [undefined];
  }
}

function predicateTypeOf({ payload }: { readonly payload: string }): unknown {
  return JSON.parse(Buffer.from(payload, 'base64').toString()).predicateType;
}

function certificateOr(certificate: string | Buffer | undefined): X509Certificate | undefined {
  if (certificate === undefined) return undefined;
  try {
    return new X509Certificate(certificate);
  } catch {
    return undefined;
  }
}
