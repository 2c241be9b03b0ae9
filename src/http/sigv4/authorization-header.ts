import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { parseBasicDate, parseCredential, parsePayloadHash, parseSignedHeaders } from './credential.ts';
import { headerValue } from './raw-headers.ts';
import type { SignedRequest } from './signed-request.ts';
import { incompleteSignature } from './sigv4-error.ts';

/** Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` and the headers that go with it. */
export function parseAuthorization(request: IncomingMessage, authorization: string): SignedRequest {
  const [algorithm = '', rest = ''] = splitOnce(authorization.trim(), /\s+/);
  const fields = fieldsOf(authorization, algorithm === ALGORITHM ? rest : authorization.trim());
  if (algorithm !== ALGORITHM) {
    throw incompleteSignature(`The algorithm of the Authorization header must be '${ALGORITHM}'.`);
  }
  const date = headerValue(request, 'x-amz-date') ?? headerValue(request, 'date');
  const missing = ['Credential', 'Signature', 'SignedHeaders']
    .filter((name) => !fields.get(name))
    .map((name) => `Authorization header requires '${name}' parameter.`);
  if (date === undefined) {
    missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  }
  if (missing.length > 0) throw incompleteSignature(`${missing.join(' ')} ${hashed(authorization)}`);
  return {
    form: 'header',
    ...parseCredential(fields.get('Credential')!),
    signedHeaders: parseSignedHeaders(fields.get('SignedHeaders')!),
    signature: fields.get('Signature')!,
    signedAt: parseDate(date!),
    sessionToken: headerValue(request, 'x-amz-security-token'),
    payloadHash: parsePayloadHash(headerValue(request, 'x-amz-content-sha256')),
    expiresSeconds: undefined,
  };
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

function fieldsOf(authorization: string, text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const field = part.trim();
    const equals = field.indexOf('=');
    if (equals < 0) {
      throw incompleteSignature(
        `Invalid key=value pair (missing equal-sign) in Authorization header ${hashed(authorization)}`,
      );
    }
    const name = field.slice(0, equals);
    if (fields.has(name)) throw incompleteSignature(`Authorization header has two '${name.slice(0, 40)}' parameters.`);
    fields.set(name, field.slice(equals + 1));
  }
  return fields;
}

/** How AWS names a header that it does not repeat, because it may be a secret. */
function hashed(authorization: string): string {
  const hash = createHash('sha256').update(authorization, 'latin1').digest('base64');
  return `(hashed with SHA-256 and encoded with Base64): '${hash}'.`;
}

/**
 * `X-Amz-Date` and some signers' `Date` are in the basic form; a `Date` of HTTP (RFC 9110, 5.6.7) is as
 * good, and so is botocore's, which ends in -0000.
 */
function parseDate(text: string): Date {
  if (!HTTP_DATE.test(text)) return parseBasicDate(text);
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? parseBasicDate(text) : at;
}

const HTTP_DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|[+-]0000)$/;

function splitOnce(text: string, separator: RegExp): [string, string] {
  const at = text.search(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at).trimStart()];
}
