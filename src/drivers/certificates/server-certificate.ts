import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import {
  authorityExtensions,
  type KeyedCertificate,
  leafExtensions,
  subjectAlternativeNames,
  type Validity,
  writeCertificate,
} from '../../core/certificates/certificate.ts';
import { tagged } from '../../core/certificates/der.ts';
import { ipBytes } from './ip-bytes.ts';

/** A certificate authority that may sign servers' certificates and no further authority. */
export function makeAuthority(commonName: string, validity: Validity): KeyedCertificate {
  const { privateKey, publicKey } = newKeys();
  const name = { commonName };
  const extensions = authorityExtensions(publicKey);
  const serialNumber = randomBytes(SERIAL_BYTES);
  const given = { subject: name, publicKey, validity, extensions, serialNumber };
  return keyed(writeCertificate(given, { name, privateKey }), privateKey);
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
  const keys = { publicKey, authorityKey: createPublicKey(authority.privateKey) };
  const extensions = leafExtensions('serverAuth', keys, [subjectAlternativeNames(names.map(generalName))]);
  const subject = { commonName: 'Gantry registry' };
  const given = { subject, publicKey, validity, extensions, serialNumber: randomBytes(SERIAL_BYTES) };
  const issuer = { name: { commonName: authority.commonName }, privateKey: authority.privateKey };
  return keyed(writeCertificate(given, issuer), privateKey);
}

const SERIAL_BYTES = 16;

function newKeys(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function keyed(certificate: string, privateKey: KeyObject): KeyedCertificate {
  return { certificate, privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}

/** dNSName or iPAddress (RFC 5280, 4.2.1.6). */
function generalName(name: string): Buffer {
  return isIP(name) === 0 ? tagged(2, Buffer.from(name, 'ascii'), false) : tagged(7, ipBytes(name), false);
}
