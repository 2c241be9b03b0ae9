import type { IncomingMessage } from 'node:http';
import { queryParametersOf, uriEncode } from './query-parameters.ts';
import { headerValue } from './raw-headers.ts';

/**
 * The canonical request of Signature Version 4 (IAM user guide, "Create a signed AWS API request", step 1) as bytes in latin1.
 *
 * Written here although `@smithy/signature-v4` is made for it, because a verifier must follow what the client chose to sign and
 * the library's signer does not: it drops a signed `Date` header and puts `X-Amz-Date` in its place, takes headers and query as
 * objects (headers of one name, and a parameter `__proto__`, are lost and would go unsigned), and encodes as UTF-8 what Node
 * hands over as single bytes. Where both can speak, the tests hold one against the other.
 *
 * @param signedHeaders lower case, in the client's order
 * @param payloadHash of the body: hexadecimal, or UNSIGNED-PAYLOAD
 * @param host what the client asked for, where a proxy changed the header
 */
export function canonicalRequest(
  request: IncomingMessage,
  signedHeaders: readonly string[],
  payloadHash: string,
  host?: string,
): string {
  const headers = signedHeaders.map((name) => {
    const value = name === 'host' && host !== undefined ? host : (headerValue(request, name) ?? '');
    // Not trim(): to it a byte of UTF-8 may be a blank.
    return `${name}:${value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '')}\n`;
  });
  return [
    request.method ?? '',
    canonicalPath(request.url ?? ''),
    canonicalQuery(request),
    headers.join(''),
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

/** Without empty and dot segments, and escaped once more than it was sent: all services but S3. */
function canonicalPath(url: string): string {
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  if (path === '/') return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(uriEncode(segment));
  }
  return `/${kept.join('/')}${kept.length > 0 && path.endsWith('/') ? '/' : ''}`;
}

function canonicalQuery(request: IncomingMessage): string {
  return queryParametersOf(request)
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
