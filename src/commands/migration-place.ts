import type { Place } from '../compose/migration.ts';
import { isAccountId, isRegion } from '../core/values/registry.ts';
import { CommandError, type Invocation, isOn, optionText } from './command-spec.ts';
import { givenPeerSecret } from './peer-settings.ts';

const FORMS = 'https://HOST, ecr:REGION[,ACCOUNT][,endpoint=URL], oci:FOLDER or docker-archive:FILE';

/** The place that `--from` or `--to` names, with what opens it. */
export async function readPlace(invocation: Invocation, flag: 'from' | 'to'): Promise<Place> {
  const given = optionText(invocation, flag) ?? '';
  const allowPrivate = isOn(invocation, 'allow-private');
  if (/^https?:\/\//.test(given))
    return { kind: 'registry', url: registryUrl(given), allowPrivate, ...(await password(invocation)) };
  const [, kind, rest = ''] = /^(ecr|oci|docker-archive):(.+)$/s.exec(given) ?? [];
  refuseUnused(invocation, kind);
  if (kind === 'ecr') return { kind, allowPrivate, ...ecrPlace(rest), credentials: await accessKey(invocation) };
  if (kind === 'oci' || kind === 'docker-archive') return { kind, path: rest };
  throw new CommandError(`--${flag} must be ${FORMS}, not '${given}'`);
}

/** `REGION[,ACCOUNT][,endpoint=URL]` */
function ecrPlace(text: string): { region: string; accountId?: string; endpoint?: string } {
  const [region = '', ...parts] = text.split(',');
  if (!isRegion(region))
    throw new CommandError(`'${region}' is no region; an ECR registry is ecr:REGION[,ACCOUNT][,endpoint=URL]`);
  let place: ReturnType<typeof ecrPlace> = { region };
  for (const part of parts) {
    if (isAccountId(part)) place = { ...place, accountId: part };
    else if (part.startsWith('endpoint=')) place = { ...place, endpoint: registryUrl(part.slice('endpoint='.length)) };
    else throw new CommandError(`'${part}' is neither an account of twelve digits nor endpoint=URL`);
  }
  return place;
}

function registryUrl(text: string): string {
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

async function password(invocation: Invocation) {
  if (optionText(invocation, 'access-key-id') !== undefined) {
    throw new CommandError('--access-key-id is for ecr:; a registry takes --username and --password-stdin');
  }
  const username = optionText(invocation, 'username');
  const secret = await givenPeerSecret(invocation);
  if (username === undefined) return {};
  if (secret === undefined) throw new CommandError('The password is missing: give --password-stdin or --password-file');
  return { credentials: { username, password: secret } };
}

/** As AWS's own tools: what is given, else the variables. */
async function accessKey(invocation: Invocation) {
  const accessKeyId = optionText(invocation, 'access-key-id');
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = invocation.environment;
  if (accessKeyId !== undefined) {
    const secretAccessKey = await givenPeerSecret(invocation);
    if (secretAccessKey === undefined) throw new CommandError('--access-key-id needs --secret-file');
    return { accessKeyId, secretAccessKey };
  }
  if (AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined) {
    throw new CommandError(
      'An access key is missing: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --access-key-id and --secret-file',
    );
  }
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN !== undefined && { sessionToken: AWS_SESSION_TOKEN }),
  };
}

/** What means nothing to a place was meant for another. */
function refuseUnused(invocation: Invocation, kind: string | undefined): void {
  const unused = kind === 'ecr' ? ['username'] : ['username', 'access-key-id'];
  for (const flag of unused) {
    if (optionText(invocation, flag) !== undefined)
      throw new CommandError(`--${flag} means nothing to ${kind ?? 'this'}:`);
  }
}
