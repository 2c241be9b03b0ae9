import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { KeyedCertificate } from '../../core/certificates/certificate.ts';
import { ipBytes } from './ip-bytes.ts';
import { makeAuthority, makeServerCertificate } from './server-certificate.ts';

/** Where the files are. */
export interface SelfSigned {
  /** For clients to trust. */
  readonly authorityFile: string;
  /** The server's certificate, its authority's and the server's key in one file, which is therefore replaced all at once. */
  readonly certFile: string;
  readonly keyFile: string;
  /** What was made or renewed just now. A new authority means that clients have to be told. */
  readonly made: 'authority' | 'certificate' | 'nothing';
}

const DAY_MS = 24 * 3600 * 1000;
const AUTHORITY_DAYS = 3650;
/** Some clients take no server's certificate that is good for more than 398 days. */
const CERTIFICATE_DAYS = 397;
const RENEW_DAYS = 30;
/** Clocks differ. */
const BACKDATED_MS = 3600 * 1000;

/**
 * Makes an authority and a server's certificate where there are none, and renews what ends within 30 days, does not have just
 * these names or does not belong together. Call it at the start and once a day: whoever watches the files sees a renewal.
 *
 *     FOLDER/ca.crt        authority, for clients
 *     FOLDER/ca.key        its key, mode 0600
 *     FOLDER/server.pem    server's certificate, authority's, server's key, mode 0600
 *
 * @param names DNS names (`*.` may stand first) and addresses; localhost, 127.0.0.1 and ::1 are always among them.
 *   Throws RangeError with one that is neither.
 */
export async function ensureSelfSigned({
  folder,
  names,
  now,
}: {
  folder: string;
  names: readonly string[];
  now: Date;
}): Promise<SelfSigned> {
  const all = [...new Set(['localhost', '127.0.0.1', '::1', ...names.map(checkName)])];
  const files = { authority: join(folder, 'ca.crt'), authorityKey: join(folder, 'ca.key') };
  const certFile = join(folder, 'server.pem');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let authority = await readAuthority(files.authority, files.authorityKey, now);
  let made: SelfSigned['made'] = 'nothing';
  if (authority === undefined) {
    authority = newAuthority(now);
    await replace(files.authorityKey, authority.privateKey, 0o600);
    await replace(files.authority, authority.certificate, 0o644);
    made = 'authority';
  }
  const server = await readOr(certFile, '');
  if (!isGood(server, all, new X509Certificate(authority.certificate), now)) {
    await replace(certFile, newServer(all, authority, now), 0o600);
    if (made === 'nothing') made = 'certificate';
  }
  for (const file of [files.authorityKey, certFile]) await chmod(file, 0o600);
  return { authorityFile: files.authority, certFile, keyFile: certFile, made };
}

function newAuthority(now: Date): KeyedCertificate {
  // Two authorities of one name would be taken for each other in a client's store.
  const commonName = `Gantry CA ${now.toISOString().slice(0, 10)} ${randomBytes(4).toString('hex')}`;
  return makeAuthority(commonName, validity(now, AUTHORITY_DAYS));
}

function newServer(names: readonly string[], authority: KeyedCertificate, now: Date): string {
  const { subject, validTo } = new X509Certificate(authority.certificate);
  const issuer = {
    commonName: subject.replace(/^CN=/, ''),
    privateKey: createPrivateKey(authority.privateKey),
  };
  const { notBefore, notAfter } = validity(now, CERTIFICATE_DAYS);
  const ends = new Date(Math.min(notAfter.getTime(), Date.parse(validTo)));
  const made = makeServerCertificate(names, { notBefore, notAfter: ends }, issuer);
  return made.certificate + authority.certificate + made.privateKey;
}

function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now.getTime() - BACKDATED_MS), notAfter: new Date(now.getTime() + days * DAY_MS) };
}

async function readAuthority(certFile: string, keyFile: string, now: Date): Promise<KeyedCertificate | undefined> {
  const certificate = await readOr(certFile, '');
  const privateKey = await readOr(keyFile, '');
  try {
    const parsed = new X509Certificate(certificate);
    const isOurs = parsed.ca && parsed.checkPrivateKey(createPrivateKey(privateKey));
    return isOurs && lasts(parsed, now) ? { certificate, privateKey } : undefined;
  } catch {
    return undefined;
  }
}

function isGood(server: string, names: readonly string[], authority: X509Certificate, now: Date): boolean {
  try {
    const parsed = new X509Certificate(server);
    const held = new Set(parsed.subjectAltName?.split(', '));
    const wanted = new Set(parsed.subjectAltName === undefined ? [] : names.map(writtenName));
    return (
      held.symmetricDifference(wanted).size === 0 &&
      lasts(parsed, now) &&
      parsed.checkPrivateKey(createPrivateKey(server)) &&
      parsed.checkIssued(authority) &&
      parsed.verify(authority.publicKey)
    );
  } catch {
    return false;
  }
}

function lasts({ validTo }: X509Certificate, now: Date): boolean {
  return Date.parse(validTo) - now.getTime() > RENEW_DAYS * DAY_MS;
}

/** As `subjectAltName` of node:crypto spells it. */
function writtenName(name: string): string {
  if (isIP(name) === 0) return `DNS:${name}`;
  const bytes = ipBytes(name);
  if (bytes.length === 4) return `IP Address:${bytes.join('.')}`;
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  return `IP Address:${groups.join(':').toUpperCase()}`;
}

function checkName(name: string): string {
  if (isIP(name) !== 0 || /^(?:\*\.)?[a-z0-9_](?:[a-z0-9._-]{0,250}[a-z0-9])?$/.test(name)) return name;
  throw new RangeError(`'${name}' is neither a DNS name in lower case nor an IP address`);
}

async function readOr(file: string, otherwise: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise;
    throw error;
  }
}

/** All or nothing, also for a reader that comes in the middle and for a machine that stops there. */
async function replace(file: string, text: string, mode: number): Promise<void> {
  const next = `${file}.next`;
  const handle = await open(next, 'w', mode);
  try {
    await handle.chmod(mode);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, file);
}
