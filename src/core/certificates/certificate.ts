import { createHash, type KeyObject, sign } from 'node:crypto';
import * as der from './der.ts';
import { distinguishedName, type NameParts } from './distinguished-name.ts';

/** A certificate and its private key, both PEM. */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface NewCertificate {
  readonly subject: NameParts;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Buffer[];
  /** 16 random bytes. */
  readonly serialNumber: Uint8Array;
}

/** Who signs: its name as its own certificate has it, and an EC key on P-256. */
export interface Issuer {
  readonly name: NameParts;
  readonly privateKey: KeyObject;
}

/**
 * Writes an X.509 certificate (RFC 5280), PEM.
 *
 * Certificates are written here, in some hundred lines, because Node reads but does not make them, a user may have no openssl,
 * and the library for it (`@peculiar/x509`) brings twenty packages along to whom a registry would have to trust its keys.
 */
export function writeCertificate(given: NewCertificate, issuer: Issuer): string {
  const algorithm = der.sequence(der.objectIdentifier(ECDSA_WITH_SHA256));
  const { notBefore, notAfter } = given.validity;
  const content = der.sequence(
    der.tagged(0, der.integer(Buffer.of(2))),
    der.integer(serialNumber(given.serialNumber)),
    algorithm,
    distinguishedName(issuer.name),
    der.sequence(der.time(notBefore), der.time(notAfter)),
    distinguishedName(given.subject),
    given.publicKey.export({ type: 'spki', format: 'der' }),
    der.tagged(3, der.sequence(...given.extensions)),
  );
  return pem(der.sequence(content, algorithm, der.bitString(sign('sha256', content, issuer.privateKey))));
}

/** The extensions of an authority that may sign certificates of others and no further authority. */
export function authorityExtensions(publicKey: KeyObject): Buffer[] {
  return [
    extension(oid.basicConstraints, der.sequence(der.boolean(true), der.integer(Buffer.of(0))), { critical: true }),
    // keyCertSign and cRLSign
    extension(oid.keyUsage, der.bitString(Buffer.of(0b0000_0110), 1), { critical: true }),
    extension(oid.subjectKeyIdentifier, der.octetString(keyIdentifier(publicKey))),
  ];
}

/**
 * The extensions of a certificate whose key makes digital signatures for one purpose.
 *
 * @param more such as the names of a server
 */
export function leafExtensions(
  purpose: keyof typeof PURPOSES,
  { publicKey, authorityKey }: { readonly publicKey: KeyObject; readonly authorityKey: KeyObject },
  more: readonly Buffer[] = [],
): Buffer[] {
  return [
    extension(oid.basicConstraints, der.sequence(), { critical: true }),
    // digitalSignature
    extension(oid.keyUsage, der.bitString(Buffer.of(0b1000_0000), 7), { critical: true }),
    extension(oid.extendedKeyUsage, der.sequence(der.objectIdentifier(PURPOSES[purpose]))),
    ...more,
    extension(oid.subjectKeyIdentifier, der.octetString(keyIdentifier(publicKey))),
    extension(oid.authorityKeyIdentifier, der.sequence(der.tagged(0, keyIdentifier(authorityKey), false))),
  ];
}

/** @param generalNames as `der` writes them */
export function subjectAlternativeNames(generalNames: readonly Buffer[]): Buffer {
  return extension(oid.subjectAltName, der.sequence(...generalNames));
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

const oid = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
};

const PURPOSES = { serverAuth: '1.3.6.1.5.5.7.3.1', codeSigning: '1.3.6.1.5.5.7.3.3' } as const;

/** Positive, and at most 20 bytes (RFC 5280, 4.1.2.2). */
function serialNumber(random: Uint8Array): Buffer {
  const bytes = Buffer.from(random);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}

function extension(id: string, content: Buffer, { critical = false }: { critical?: boolean } = {}): Buffer {
  const flag = critical ? [der.boolean(true)] : [];
  return der.sequence(der.objectIdentifier(id), ...flag, der.octetString(content));
}

/** SHA-1 of the key's bits, as RFC 5280, 4.2.1.2 proposes: a name, no protection. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha1').update(keyBits(publicKey)).digest();
}

/** What the SPKI wraps: of an EC key the uncompressed point, of an RSA key its two numbers. */
function keyBits(publicKey: KeyObject): Buffer {
  if (publicKey.asymmetricKeyType === 'rsa') return publicKey.export({ type: 'pkcs1', format: 'der' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
