import type { IncomingMessage } from 'node:http';
import { parseAuthorization } from './authorization-header.ts';
import { parsePresigned } from './presigned-query.ts';
import { queryParametersOf } from './query-parameters.ts';
import { headerValue } from './raw-headers.ts';
import type { SignedRequest } from './signed-request.ts';
import { incompleteSignature } from './sigv4-error.ts';

/**
 * Reads the signature of a request (Signature Version 4, header or presigned form); undefined when it has none.
 * Throws SigV4Error (IncompleteSignatureException, InvalidSignatureException) when it has a broken one, or two.
 */
export function parseSigned(request: IncomingMessage): SignedRequest | undefined {
  const authorization = headerValue(request, 'authorization');
  const presigned = PRESIGNED.test(request.url ?? '');
  if (authorization !== undefined && presigned) {
    throw incompleteSignature(
      'The request has an Authorization header and query-string parameters of a signature. Use one of them.',
    );
  }
  if (authorization !== undefined) return parseAuthorization(request, authorization);
  return presigned ? parsePresigned(request, queryParametersOf(request)) : undefined;
}

const PRESIGNED = /[?&]X-Amz-(?:Algorithm|Signature|Credential)(?:[=&]|$)/;
