import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import * as der from './der.ts';
import { ipBytes } from './ip-bytes.ts';

/** A certificate and its private key, both PEM. */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * A certificate authority that may sign servers' certificates and no further authority (RFC 5280).
 *
 * Certificates are written here, in some hundred lines, because Node reads but does not make them, a user may have no openssl,
 * and the library for it (`@peculiar/x509`) brings twenty packages along to whom a registry would have to trust its keys.
 */
export function makeAuthority(commonName: string, validity: Validity): KeyedCertificate {
  const { privateKey, publicKey } = newKeys();
  const extensions = [
    extension(oid.basicConstraints, der.sequence(der.boolean(true), der.integer(Buffer.of(0))), { critical: true }),
    // keyCertSign and cRLSign
    extension(oid.keyUsage, der.bitString(Buffer.of(0b0000_0110), 1), { critical: true }),
    extension(oid.subjectKeyIdentifier, der.octetString(keyIdentifier(publicKey))),
  ];
  const subject = { commonName, publicKey, validity, extensions };
  return keyed(subject, { commonName, privateKey }, privateKey);
}

/**
 * A server's certificate for names and addresses; a name may begin with `*.`.
 *
 * @param authority whose name is the common name given to `makeAuthority`
 */
export function makeServerCertificate(
  names: readonly string[],
  validity: Validity,
  authority: { commonName: string; privateKey: KeyObject },
): KeyedCertificate {
  const { privateKey, publicKey } = newKeys();
  const authorityKey = createPublicKey(authority.privateKey);
  const extensions = [
    extension(oid.basicConstraints, der.sequence(), { critical: true }),
    // digitalSignature
    extension(oid.keyUsage, der.bitString(Buffer.of(0b1000_0000), 7), { critical: true }),
    extension(oid.extendedKeyUsage, der.sequence(der.objectIdentifier(oid.serverAuth))),
    extension(oid.subjectAltName, der.sequence(...names.map(generalName))),
    extension(oid.subjectKeyIdentifier, der.octetString(keyIdentifier(publicKey))),
    extension(oid.authorityKeyIdentifier, der.sequence(der.tagged(0, keyIdentifier(authorityKey), false))),
  ];
  const subject = { commonName: 'Gantry registry', publicKey, validity, extensions };
  return keyed(subject, authority, privateKey);
}

const oid = {
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
};

interface Subject {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Buffer[];
}

function keyed(
  subject: Subject,
  issuer: { commonName: string; privateKey: KeyObject },
  privateKey: KeyObject,
): KeyedCertificate {
  const algorithm = der.sequence(der.objectIdentifier(oid.ecdsaWithSha256));
  const { notBefore, notAfter } = subject.validity;
  const content = der.sequence(
    der.tagged(0, der.integer(Buffer.of(2))),
    der.integer(serialNumber()),
    algorithm,
    distinguishedName(issuer.commonName),
    der.sequence(der.time(notBefore), der.time(notAfter)),
    distinguishedName(subject.commonName),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    der.tagged(3, der.sequence(...subject.extensions)),
  );
  const certificate = der.sequence(content, algorithm, der.bitString(sign('sha256', content, issuer.privateKey)));
  return { certificate: pem(certificate), privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}

function newKeys(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** Positive, and at most 20 bytes (RFC 5280, 4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}

function distinguishedName(commonName: string): Buffer {
  return der.sequence(der.set(der.sequence(der.objectIdentifier(oid.commonName), der.utf8String(commonName))));
}

function extension(id: string, content: Buffer, { critical = false }: { critical?: boolean } = {}): Buffer {
  const flag = critical ? [der.boolean(true)] : [];
  return der.sequence(der.objectIdentifier(id), ...flag, der.octetString(content));
}

/** dNSName or iPAddress (RFC 5280, 4.2.1.6). */
function generalName(name: string): Buffer {
  return isIP(name) === 0 ? der.tagged(2, Buffer.from(name, 'ascii'), false) : der.tagged(7, ipBytes(name), false);
}

/** SHA-1 of the key's bits, as RFC 5280, 4.2.1.2 proposes: a name, no protection. An uncompressed point of P-256 ends its SPKI. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
  return createHash('sha1').update(point).digest();
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
