import type { IncomingMessage } from 'node:http';
import { parseBasicDate, parseCredential, parsePayloadHash, parseSignedHeaders } from './credential.ts';
import type { QueryParameter } from './query-parameters.ts';
import { headerValue } from './raw-headers.ts';
import type { SignedRequest } from './signed-request.ts';
import { incompleteSignature } from './sigv4-error.ts';

/** Reads the X-Amz-… parameters of a presigned link. */
export function parsePresigned(request: IncomingMessage, parameters: readonly QueryParameter[]): SignedRequest {
  const algorithm = required(parameters, 'X-Amz-Algorithm');
  if (algorithm !== 'AWS4-HMAC-SHA256') {
    throw incompleteSignature("X-Amz-Algorithm only supports 'AWS4-HMAC-SHA256'");
  }
  // Signers that move headers to the query (hoisting) leave the name as the header was written.
  const declared = parameters.find(([name]) => name.toLowerCase() === 'x-amz-content-sha256')?.[1];
  return {
    form: 'query',
    ...parseCredential(required(parameters, 'X-Amz-Credential')),
    signedHeaders: parseSignedHeaders(required(parameters, 'X-Amz-SignedHeaders')),
    signature: required(parameters, 'X-Amz-Signature'),
    signedAt: parseBasicDate(required(parameters, 'X-Amz-Date')),
    sessionToken: only(parameters, 'X-Amz-Security-Token') ?? headerValue(request, 'x-amz-security-token'),
    payloadHash: parsePayloadHash(headerValue(request, 'x-amz-content-sha256') ?? declared),
    expiresSeconds: parseExpires(only(parameters, 'X-Amz-Expires')),
  };
}

const WEEK_SECONDS = 7 * 24 * 3600;

function parseExpires(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^[0-9]{1,7}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= WEEK_SECONDS) return seconds;
  throw incompleteSignature(`X-Amz-Expires must be a number of seconds from 1 to ${WEEK_SECONDS}, a week`);
}

function required(parameters: readonly QueryParameter[], name: string): string {
  const value = only(parameters, name);
  if (value) return value;
  throw incompleteSignature(
    `AWS query-string parameters must include '${name}'. Re-examine the query-string parameters.`,
  );
}

function only(parameters: readonly QueryParameter[], name: string): string | undefined {
  const [first, second] = parameters.filter((parameter) => parameter[0] === name);
  if (second !== undefined) throw incompleteSignature(`AWS query-string parameters must include '${name}' once.`);
  return first?.[1];
}
