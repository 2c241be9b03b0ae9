import { basicDate } from './credential.ts';
import type { SignedRequest } from './signed-request.ts';
import { invalidSignature } from './sigv4-error.ts';

export interface ExpectedSignature {
  readonly now: Date;
  /** Names a credential may be scoped to, such as `ecr`. */
  readonly services: readonly string[];
  /** How far the client's clock may be off, each way. */
  readonly maxSkewSeconds: number;
}

/**
 * Refuses by what a signed request says of itself, before its body is read: the wrong service or day, a clock that is off,
 * a link that has expired, and a signature that leaves out what decides who is asked for what. Throws SigV4Error.
 *
 * @param headers the request's, in lower case: a signature must cover X-Amz-Target when it is there
 */
export function checkBeforeBody(
  signed: SignedRequest,
  headers: Readonly<Record<string, unknown>>,
  { now, services, maxSkewSeconds }: ExpectedSignature,
): void {
  checkScope(signed, services);
  checkClock(signed, now, maxSkewSeconds);
  for (const [name, text] of MUST_BE_SIGNED) {
    if (!signed.signedHeaders.includes(name) && (name === 'host' || headers[name] !== undefined)) {
      throw invalidSignature(`${text} must be a 'SignedHeader' in the AWS Authorization.`);
    }
  }
}

/** Without the first a request could be sent to another registry, without the second it could become another operation. */
const MUST_BE_SIGNED = [
  ['host', "'Host' or ':authority'"],
  ['x-amz-target', "'X-Amz-Target'"],
] as const;

function checkScope({ scope, signedAt }: SignedRequest, services: readonly string[]): void {
  if (!services.includes(scope.service)) {
    throw invalidSignature(
      `Credential should be scoped to correct service: ${services.map((name) => `'${name}'`).join(' or ')}.`,
    );
  }
  const at = basicDate(signedAt);
  if (at.slice(0, 8) !== scope.date) {
    throw invalidSignature(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.date}' != '${at.slice(0, 8)}', from '${at}'.`,
    );
  }
}

function checkClock({ signedAt, expiresSeconds }: SignedRequest, now: Date, maxSkewSeconds: number): void {
  const validSeconds = expiresSeconds ?? maxSkewSeconds;
  const earliest = new Date(now.getTime() - validSeconds * 1000);
  const latest = new Date(now.getTime() + maxSkewSeconds * 1000);
  if (signedAt < earliest) {
    throw invalidSignature(
      `Signature expired: ${basicDate(signedAt)} is now earlier than ${basicDate(earliest)} (${basicDate(now)} - ${duration(validSeconds)})`,
    );
  }
  if (signedAt > latest) {
    throw invalidSignature(
      `Signature not yet current: ${basicDate(signedAt)} is still later than ${basicDate(latest)} (${basicDate(now)} + ${duration(maxSkewSeconds)})`,
    );
  }
}

function duration(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60} min.` : `${seconds} sec.`;
}
