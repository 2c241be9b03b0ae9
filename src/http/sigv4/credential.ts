import type { CredentialScope } from './signed-request.ts';
import { incompleteSignature, invalidSignature } from './sigv4-error.ts';

/** Reads KEY/YYYYMMDD/REGION/SERVICE/aws4_request. A key id is letters, digits and underscores, at most 128 (IAM API, AccessKey). */
export function parseCredential(text: string): { accessKeyId: string; scope: CredentialScope } {
  const [accessKeyId = '', date = '', region = '', service = '', term = '', ...more] = text.split('/');
  if (term === '' || more.length > 0 || !/^\w{1,128}$/.test(accessKeyId)) {
    throw incompleteSignature(
      'Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term',
    );
  }
  if (term !== 'aws4_request') {
    throw invalidSignature("Credential should be scoped with a valid terminator: 'aws4_request'.");
  }
  if (!/^[0-9]{8}$/.test(date)) throw incompleteSignature('Date in Credential scope must be YYYYMMDD');
  if (!/^[a-z0-9-]{2,40}$/.test(region)) throw invalidSignature('Credential should be scoped to a valid region.');
  return { accessKeyId, scope: { date, region, service } };
}

/** Reads `a;b;c`, the names of the signed headers. */
export function parseSignedHeaders(text: string): string[] {
  const names = text.split(';');
  if (!names.every((name) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) || new Set(names).size < names.length) {
    throw incompleteSignature(
      "'SignedHeaders' must be a semicolon-delimited list of distinct header names in lower case",
    );
  }
  return names;
}

/** Reads a declared hash of the body; the streaming forms are S3's alone. */
export function parsePayloadHash(text: string | undefined): string | undefined {
  if (text === undefined || text === 'UNSIGNED-PAYLOAD' || /^[0-9a-f]{64}$/.test(text)) return text;
  throw invalidSignature("'x-amz-content-sha256' must be UNSIGNED-PAYLOAD or a SHA-256 in lower-case hexadecimal");
}

/** Reads YYYYMMDDTHHMMSSZ. */
export function parseBasicDate(text: string): Date {
  const [, year, month, day, hour, minute, second] = BASIC_DATE.exec(text) ?? [];
  const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(at.getTime())) {
    throw incompleteSignature("Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601");
  }
  return at;
}

/** Writes YYYYMMDDTHHMMSSZ. */
export function basicDate(at: Date): string {
  return at.toISOString().replace(/[-:]|\.\d{3}/g, '');
}

const BASIC_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
