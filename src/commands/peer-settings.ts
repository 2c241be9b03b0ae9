import type { PeerKind, PeerSettings } from '../core/replication/peer-records.ts';
import type { Registry } from '../core/values/registry.ts';
import { readDocument } from './access-session.ts';
import { CommandError, type Invocation, isOn, optionText } from './command-spec.ts';

const KINDS: readonly PeerKind[] = ['gantry', 'ecr', 'oci'];

/** What a peer is, besides its address and secret. */
export function peerSettings(invocation: Invocation): PeerSettings {
  const kind = kindOf(optionText(invocation, 'kind') ?? 'gantry');
  const username = optionText(invocation, 'username');
  const accessKeyId = optionText(invocation, 'access-key-id');
  const apiUrl = optionText(invocation, 'api-url');
  if (username !== undefined && accessKeyId !== undefined) {
    throw new CommandError('--username and --access-key-id are two ways to log in; give one of them');
  }
  if (kind === 'oci' && (accessKeyId ?? apiUrl) !== undefined) {
    throw new CommandError('A registry of kind oci has no ECR API: --access-key-id and --api-url mean nothing to it');
  }
  if (kind === 'ecr' && accessKeyId === undefined) {
    throw new CommandError('--access-key-id and --secret-file must give an access key that may push to the registry');
  }
  return {
    kind,
    ...(username !== undefined && { username }),
    ...(accessKeyId !== undefined && { accessKeyId }),
    ...(apiUrl !== undefined && { apiUrl: httpUrl(apiUrl) }),
    ...(isOn(invocation, 'allow-private') && { allowsPrivate: true }),
  };
}

/** Where the OCI API is. */
export function peerAddress(invocation: Invocation, kind: PeerKind, { accountId, region }: Registry): string {
  const given = optionText(invocation, 'url');
  if (given !== undefined) return httpUrl(given);
  if (kind !== 'ecr')
    throw new CommandError('--url must say where the registry is, such as https://registry.example.com');
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://${accountId}.dkr.ecr.${region}.${suffix}`;
}

/** Never on the command line, where everybody on the machine reads it. */
export async function givenPeerSecret(invocation: Invocation): Promise<string | undefined> {
  const password = isOn(invocation, 'password-stdin') ? '-' : optionText(invocation, 'password-file');
  const secretFile = optionText(invocation, 'secret-file');
  if (password !== undefined && optionText(invocation, 'username') === undefined) {
    throw new CommandError('The password needs --username');
  }
  if (secretFile !== undefined && optionText(invocation, 'access-key-id') === undefined) {
    throw new CommandError('--secret-file needs --access-key-id');
  }
  const file = password ?? secretFile;
  if (file === undefined) return undefined;
  const secret = (await readDocument(file)).replace(/\r?\n$/, '');
  if (secret === '') throw new CommandError(`There is no secret in ${file === '-' ? 'standard input' : file}`);
  return secret;
}

function kindOf(text: string): PeerKind {
  const kind = KINDS.find((each) => each === text);
  if (kind === undefined) throw new CommandError(`'${text}' is no kind of registry: ${KINDS.join(', ')}`);
  return kind;
}

function httpUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw new CommandError(`'${text}' is no URL of a server: it must begin with https:// or http://`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new CommandError('A password in the address would be shown; give --username and --password-stdin');
  }
  if (url.search !== '' || url.hash !== '') throw new CommandError(`'${text}' must end before any ? or #`);
  return url.href.replace(/\/$/, '');
}
