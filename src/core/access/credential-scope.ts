import { isAccountId, partitionOf, type Registry } from '../values/registry.ts';
import type { Caller } from './caller.ts';

/** What a Signature Version 4 credential says in plain text: which key signed, for which day, region and service. */
export interface CredentialScope {
  readonly accessKeyId: string;
  /** YYYYMMDD */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/**
 * The credential of an `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …` header.
 * Nothing is verified here. Undefined for any other header.
 */
export function credentialScopeOf(authorization: string | undefined): CredentialScope | undefined {
  if (authorization === undefined || !authorization.startsWith(ALGORITHM)) return undefined;
  const field = authorization
    .slice(ALGORITHM.length)
    .split(',')
    .map((part) => part.trim())
    .find((part) => part.startsWith('Credential='));
  return field === undefined ? undefined : parseCredential(field.slice('Credential='.length));
}

/**
 * Who a caller is taken to be while the server is open: an access key id of twelve digits is that account, any other, or none,
 * the default account.
 */
export function openCaller(scope: CredentialScope | undefined, defaults: Registry): Caller {
  const key = scope?.accessKeyId;
  const accountId = key !== undefined && isAccountId(key) ? key : defaults.accountId;
  const partition = partitionOf(scope?.region ?? defaults.region);
  return { kind: 'open', accountId, arn: `arn:${partition}:iam::${accountId}:user/open`, userId: key ?? 'open' };
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
/** Access key ids have up to 128 characters (IAM API, AccessKey). */
const CREDENTIAL = /^([A-Za-z0-9_]{1,128})\/([0-9]{8})\/([0-9a-z-]{2,25})\/([a-z0-9-]{1,40})\/aws4_request$/;

function parseCredential(text: string): CredentialScope | undefined {
  const [, accessKeyId, date, region, service] = CREDENTIAL.exec(text) ?? [];
  if (accessKeyId === undefined || date === undefined || region === undefined || service === undefined)
    return undefined;
  return { accessKeyId, date, region, service };
}
