import { isSignerKeyType, SIGNER_KEY_TYPES } from '../core/signing/signer-keys.ts';
import type { SignerProfile } from '../core/signing/signer-profile-records.ts';
import { certificatesOf } from '../core/signing/signing-certificates.ts';
import { readDocument } from './access-session.ts';
import { CommandError, type Invocation, optionText } from './command-spec.ts';
import { checkKeyFile } from './key.ts';
import { describeTime, say, sayList } from './output.ts';
import { openSignerSession, type SignerSession, told } from './signer-session.ts';

const DAYS_DEFAULT = '3650';
const DAYS_MAX = 7300;

/** `gantry signer create PROFILE [--key-type TYPE] [--days NUMBER] | [--key FILE --chain FILE]` */
export async function createSigner(invocation: Invocation): Promise<void> {
  const [name = ''] = invocation.operands;
  const make = await givenMaker(invocation);
  await using session = await openSignerSession(invocation);
  await checkKeyFile(session);
  const profile = await told(make(session, name));
  const { arn, keyType } = profile;
  await session.recordChange('PutSigningProfile', { profileName: name, arn, keyType });
  const lines = [
    `Signer profile ${name} can be named in a signing configuration as signingProfileArn:`,
    `  ${arn}`,
    'Those who verify its signatures have to trust its authority:',
    `  gantry signer export-trust ${name} --out FOLDER`,
  ];
  say(invocation, lines, shown(profile));
}

/** `gantry signer list` */
export async function listSigners(invocation: Invocation): Promise<void> {
  await using session = await openSignerSession(invocation);
  const { registry, profiles } = session;
  const listed = (await profiles.list(registry)).map(shown);
  sayList(invocation, listed, {
    headings: ['NAME', 'KEY', 'STATE', 'CREATED', 'CERTIFICATE UNTIL', 'ARN'],
    row: ({ name, keyType, retiredAt, createdAt, certificateUntil, arn }) => [
      name,
      keyType,
      retiredAt ? `retired ${describeTime(retiredAt)}` : 'active',
      describeTime(createdAt),
      describeTime(certificateUntil),
      arn,
    ],
    none: `Account ${registry.accountId} has no signer profiles in ${registry.region}.`,
  });
}

/** `gantry signer retire PROFILE` */
export async function retireSigner(invocation: Invocation): Promise<void> {
  const [named = ''] = invocation.operands;
  await using session = await openSignerSession(invocation);
  const profile = await told(session.profiles.retire(session.registry, named));
  const { arn, name } = profile;
  await session.recordChange('CancelSigningProfile', { profileName: name, arn });
  const line = `${arn} signs no more; what it has signed stays signed, and images that it should sign are shown as failed.`;
  say(invocation, line, shown(profile));
}

/** `gantry signer delete PROFILE` */
export async function deleteSigner(invocation: Invocation): Promise<void> {
  const [named = ''] = invocation.operands;
  await using session = await openSignerSession(invocation);
  const profile = await told(session.profiles.delete(session.registry, named));
  const { arn, name } = profile;
  await session.recordChange('DeleteSigningProfile', { profileName: name, arn });
  say(invocation, `Deleted ${arn} and its key; what it has signed stays signed.`, shown(profile));
}

type Maker = (session: SignerSession, name: string) => Promise<SignerProfile>;

/** With a new key, or with one that was made elsewhere. */
async function givenMaker(invocation: Invocation): Promise<Maker> {
  const [keyFile, chainFile] = [optionText(invocation, 'key'), optionText(invocation, 'chain')];
  if (keyFile === undefined && chainFile === undefined) {
    const wanted = { keyType: givenKeyType(invocation), days: givenDays(invocation) };
    return ({ profiles, registry }, name) => profiles.create(registry, name, wanted);
  }
  if (keyFile === undefined || chainFile === undefined) {
    throw new CommandError('--key names a key and --chain its certificates; give both of them, or neither');
  }
  if (optionText(invocation, 'key-type') !== undefined || optionText(invocation, 'days') !== undefined) {
    throw new CommandError('--key-type and --days are for a new key; --key and --chain bring their own');
  }
  const given = { privateKey: await readDocument(keyFile), chain: await readDocument(chainFile) };
  return ({ profiles, registry }, name) => profiles.take(registry, name, given);
}

function givenKeyType(invocation: Invocation) {
  const given = optionText(invocation, 'key-type') ?? 'ec-256';
  if (isSignerKeyType(given)) return given;
  throw new CommandError(`--key-type must be one of ${SIGNER_KEY_TYPES.join(', ')}, not '${given}'`);
}

function givenDays(invocation: Invocation): number {
  const text = optionText(invocation, 'days') ?? DAYS_DEFAULT;
  const days = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= DAYS_MAX) return days;
  throw new CommandError(`--days must be a number from 1 to ${DAYS_MAX}, not '${text}'`);
}

/** Without the key; the certificate that ends first ends the profile. */
function shown({ arn, name, keyType, certificateChain, createdAt, retiredAt }: SignerProfile) {
  const ends = certificatesOf(certificateChain).map(({ validTo }) => Date.parse(validTo));
  const certificateUntil = new Date(Math.min(...ends));
  return { arn, name, keyType, createdAt, certificateUntil, ...(retiredAt && { retiredAt }) };
}
