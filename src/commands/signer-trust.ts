import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { namePartsOf } from '../core/certificates/distinguished-name.ts';
import { certificatesOf } from '../core/signing/signing-certificates.ts';
import { CommandError, type Invocation, optionText } from './command-spec.ts';
import { say } from './output.ts';
import { openSignerSession, told } from './signer-session.ts';

/** `gantry signer export-trust PROFILE [--out FOLDER]` */
export async function exportTrust(invocation: Invocation): Promise<void> {
  const [named = ''] = invocation.operands;
  const folder = optionText(invocation, 'out');
  await using session = await openSignerSession(invocation);
  const { name, arn, certificateChain } = await told(session.profiles.find(session.registry, named));
  const [leaf, ...above] = certificatesOf(certificateChain);
  const certificate = (above.at(-1) ?? leaf).toString();
  const trustPolicy = trustPolicyOf(name, identityOf(leaf.subject));
  if (folder === undefined) {
    say(invocation, certificate.trimEnd(), { arn, certificate, trustPolicy });
    return;
  }
  const files = { certificate: join(folder, `${name}.crt`), trustPolicy: join(folder, 'trustpolicy.json') };
  await mkdir(folder, { recursive: true });
  await writeNew(files.certificate, certificate);
  await writeNew(files.trustPolicy, `${JSON.stringify(trustPolicy, undefined, 2)}\n`);
  const lines = [
    `Wrote ${files.certificate} and ${files.trustPolicy}. Those who verify run, with notation:`,
    `  notation cert add --type ca --store ${name} ${files.certificate}`,
    `  notation policy import ${files.trustPolicy}`,
    '  notation verify REGISTRY/REPOSITORY@DIGEST',
    'The policy is for every repository; whoever has one already takes its statement over into it.',
  ];
  say(invocation, lines, { arn, files, certificate, trustPolicy });
}

/** A trust policy of notation: signatures count that were made with certificates of this subject, under this authority. */
function trustPolicyOf(name: string, identity: string) {
  return {
    version: '1.0',
    trustPolicies: [
      {
        name,
        registryScopes: ['*'],
        signatureVerification: { level: 'strict' },
        trustStores: [`ca:${name}`],
        trustedIdentities: [identity],
      },
    ],
  };
}

/** Notation compares subjects that have a country, a state and an organization; without them the authority must do. */
function identityOf(subject: string): string {
  const { country, state, organization, commonName } = namePartsOf(subject);
  if (country === undefined || state === undefined || organization === undefined) return '*';
  const parts = Object.entries({ C: country, ST: state, O: organization, CN: commonName });
  const written = parts.filter(([, text]) => text !== '').map(([key, text]) => `${key}=${escaped(text)}`);
  return `x509.subject: ${written.join(', ')}`;
}

/** RFC 4514, 2.4. */
function escaped(text: string): string {
  return text.replace(/^[ #]|[",+;<>\\=]| $/g, '\\$&');
}

/** What is there may be somebody's policy of today. */
async function writeNew(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EEXIST' ? 'there is such a file already' : error.message;
    throw new CommandError(`${file} cannot be written: ${reason}`);
  });
}
