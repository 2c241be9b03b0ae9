import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { authorityExtensions, leafExtensions, type Validity, writeCertificate } from '../certificates/certificate.ts';
import { namePartsOf } from '../certificates/distinguished-name.ts';
import type { Registry } from '../values/registry.ts';
import { newSignerKey, type SignerKeyType, signerKeyTypeOf } from './signer-keys.ts';

type RandomBytes = (length: number) => Uint8Array;

/** PEM. */
export interface KeyedChain {
  readonly certificateChain: string;
  readonly privateKey: string;
}

/** Why a chain cannot be signed with, in words. */
export class CertificateChainError extends Error {
  override readonly name = 'CertificateChainError';
}

/** "Unknown" to ISO 3166: a name must have a country, and a registry has none. */
const NO_COUNTRY = 'ZZ';
const SERIAL_BYTES = 16;
const DAY_MS = 24 * 3600 * 1000;
const AUTHORITY_DAYS = 7300;
/** Clocks differ. */
const BACKDATED_MS = 3600 * 1000;

/** An authority of a registry, self-signed, which signs its signers' certificates. */
export function makeSigningAuthority(registry: Registry, now: Date, randomBytes: RandomBytes): KeyedChain {
  const { privateKey, publicKey } = newSignerKey('ec-256');
  // Two authorities of one name would be taken for each other.
  const mark = Buffer.from(randomBytes(4)).toString('hex');
  const name = nameOf(registry, `Gantry signing CA ${mark}`);
  const validity = validityOf(now, AUTHORITY_DAYS);
  const serialNumber = randomBytes(SERIAL_BYTES);
  const given = { subject: name, publicKey, validity, extensions: authorityExtensions(publicKey), serialNumber };
  return { certificateChain: writeCertificate(given, { name, privateKey }), privateKey: pemOf(privateKey) };
}

export interface WantedSigner {
  readonly registry: Registry;
  readonly name: string;
  readonly keyType: SignerKeyType;
  readonly days: number;
}

/** A signer's key with its certificate and the authority's, which it does not outlive (signature specification, "Certificate Requirements"). */
export function makeSigner(
  { registry, name, keyType, days }: WantedSigner,
  authority: { readonly certificate: string; readonly privateKey: KeyObject },
  now: Date,
  randomBytes: RandomBytes,
): KeyedChain {
  const { privateKey, publicKey } = newSignerKey(keyType);
  const parsed = new X509Certificate(authority.certificate);
  const keys = { publicKey, authorityKey: createPublicKey(authority.privateKey) };
  const { notBefore, notAfter } = validityOf(now, days);
  const given = {
    subject: nameOf(registry, name),
    publicKey,
    validity: { notBefore, notAfter: new Date(Math.min(notAfter.getTime(), Date.parse(parsed.validTo))) },
    extensions: leafExtensions('codeSigning', keys),
    serialNumber: randomBytes(SERIAL_BYTES),
  };
  const issuer = { name: namePartsOf(parsed.subject), privateKey: authority.privateKey };
  const certificateChain = writeCertificate(given, issuer) + authority.certificate;
  return { certificateChain, privateKey: pemOf(privateKey) };
}

/** The certificates of a chain in PEM, in its order. Throws when one cannot be read. */
export function certificatesOf(chain: string): [X509Certificate, ...X509Certificate[]] {
  const blocks = chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const [first, ...rest] = blocks.map(readCertificate);
  if (!first) throw new CertificateChainError('The chain has no certificates in PEM');
  return [first, ...rest];
}

/**
 * Looks at a key and a chain that were made elsewhere. Throws CertificateChainError when clients would not take their signatures.
 *
 * @returns what kind of key it is
 */
export function checkChain(chain: string, privateKey: KeyObject, now: Date): SignerKeyType {
  const certificates = certificatesOf(chain);
  const [leaf] = certificates;
  const keyType = signerKeyTypeOf(privateKey);
  if (!keyType)
    throw new CertificateChainError('The key must be EC on P-256, P-384 or P-521, or RSA of 2048, 3072 or 4096 bits');
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new CertificateChainError("The first certificate is not the key's; the chain begins with the signer's own");
  }
  if (leaf.ca && certificates.length > 1) throw new CertificateChainError('The first certificate is an authority');
  // Node calls extended usages so; a certificate without them may be used for anything.
  if (leaf.keyUsage !== undefined && leaf.keyUsage.join() !== CODE_SIGNING) {
    throw new CertificateChainError('The first certificate must be for code signing and for nothing else');
  }
  for (const [index, certificate] of certificates.entries()) {
    // The last one signs itself: it is what clients trust.
    const issuer = certificates[index + 1] ?? certificate;
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
      throw new CertificateChainError(
        `Certificate ${index + 1} of the chain is not signed by ${describeIssuer(index, certificates)}`,
      );
    }
    const isValid =
      Date.parse(certificate.validFrom) <= now.getTime() && now.getTime() < Date.parse(certificate.validTo);
    if (!isValid) throw new CertificateChainError(`Certificate ${index + 1} of the chain is not valid now`);
  }
  return keyType;
}

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';

function describeIssuer(index: number, { length }: readonly X509Certificate[]): string {
  return index + 1 < length ? 'the one behind it' : 'itself: the chain must end with a root';
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CertificateChainError('The chain holds a certificate that cannot be read', { cause });
  }
}

function nameOf({ accountId, region }: Registry, commonName: string) {
  return { country: NO_COUNTRY, state: region, organization: `Gantry registry ${accountId}`, commonName };
}

function validityOf(now: Date, days: number): Validity {
  return { notBefore: new Date(now.getTime() - BACKDATED_MS), notAfter: new Date(now.getTime() + days * DAY_MS) };
}

function pemOf(privateKey: KeyObject): string {
  return String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}
