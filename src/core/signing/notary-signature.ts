import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { type Digest, parseDigest } from '../values/digest.ts';
import { isSignedWith, jwsAlgorithmOf, type SignerKeyType, signerKeyTypeOf, signWith } from './signer-keys.ts';

/** The envelope of a signature (Notary Project, "JWS Signature Envelope"). */
export const JWS_TYPE = 'application/jose+json';
const PAYLOAD_TYPE = 'application/vnd.cncf.notary.payload.v1+json';
const SCHEME = 'io.cncf.notary.signingScheme';
const SIGNING_TIME = 'io.cncf.notary.signingTime';
const EXPIRY = 'io.cncf.notary.expiry';
const AGENT = 'io.cncf.notary.signingAgent';

export interface SignedImage {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export interface NewSignature {
  readonly image: SignedImage;
  readonly signedAt: Date;
  readonly expiresAt?: Date;
}

export interface Signer {
  readonly keyType: SignerKeyType;
  readonly privateKey: KeyObject;
  /** Its own first. */
  readonly certificates: readonly X509Certificate[];
}

/** Signs an image; the envelope as it is stored. */
export function writeSignature({ image, signedAt, expiresAt }: NewSignature, signer: Signer): Buffer {
  const { mediaType, digest, size } = image;
  const protectedHeader = {
    alg: jwsAlgorithmOf(signer.keyType),
    cty: PAYLOAD_TYPE,
    crit: [SCHEME, ...(expiresAt ? [EXPIRY] : [])],
    [SCHEME]: 'notary.x509',
    [SIGNING_TIME]: toSeconds(signedAt),
    ...(expiresAt && { [EXPIRY]: toSeconds(expiresAt) }),
  };
  const encodedHeader = encode(protectedHeader);
  const payload = encode({ targetArtifact: { mediaType, digest, size } });
  const signature = signWith(signer.keyType, signer.privateKey, Buffer.from(`${encodedHeader}.${payload}`));
  const x5c = signer.certificates.map(({ raw }) => raw.toString('base64'));
  return Buffer.from(
    JSON.stringify({
      payload,
      protected: encodedHeader,
      header: { x5c, [AGENT]: 'gantry' },
      signature: signature.toString('base64url'),
    }),
  );
}

/** What an envelope says, once its signature is that of the certificate it carries. Whom to trust is not asked. */
export interface ReadSignature {
  /** What is signed. */
  readonly digest: Digest;
  readonly signedAt: Date;
  readonly expiresAt?: Date;
  readonly signer: X509Certificate;
}

/** @returns undefined when it is no such envelope, or anything of it was altered */
export function readSignature(envelope: Uint8Array): ReadSignature | undefined {
  try {
    const { payload, protected: encodedHeader, header, signature } = JSON.parse(Buffer.from(envelope).toString());
    const signer = new X509Certificate(Buffer.from(header.x5c[0], 'base64'));
    const protectedHeader = decode(encodedHeader);
    const keyType = signerKeyTypeOf(signer.publicKey);
    if (!keyType || protectedHeader.alg !== jwsAlgorithmOf(keyType)) return undefined;
    const signed = Buffer.from(`${encodedHeader}.${payload}`);
    if (!isSignedWith(keyType, signer.publicKey, signed, Buffer.from(signature, 'base64url'))) return undefined;
    const digest = parseDigest(String(decode(payload).targetArtifact.digest));
    const signedAt = new Date(protectedHeader[SIGNING_TIME]);
    const expiry = protectedHeader[EXPIRY];
    if (!digest || Number.isNaN(signedAt.getTime())) return undefined;
    return { digest, signedAt, signer, ...(expiry !== undefined && { expiresAt: new Date(expiry) }) };
  } catch {
    return undefined;
  }
}

/**
 * Whether a signature was made with the key of a certificate. Keys are compared as they are written: of two kinds of keys,
 * `equals` leaves OpenSSL an error behind, which the next one to open a key in this turn is given.
 */
export function isSignedBy({ signer }: ReadSignature, { publicKey }: X509Certificate): boolean {
  const [one, other] = [publicKey, signer.publicKey].map((key) => key.export({ type: 'spki', format: 'der' }));
  return one !== undefined && other !== undefined && one.equals(other);
}

/** SHA-256 in hexadecimal digits, as the annotation of a signature has it. */
export function thumbprintOf({ raw }: X509Certificate): string {
  return createHash('sha256').update(raw).digest('hex');
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(text: string) {
  return JSON.parse(Buffer.from(text, 'base64url').toString());
}

/** RFC 3339 without fractions, as the specification wants it. */
function toSeconds(time: Date): string {
  return time.toISOString().replace(/\.[0-9]{3}Z$/, 'Z');
}
