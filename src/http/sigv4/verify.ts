import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { canonicalRequest } from './canonical-request.ts';
import { basicDate } from './credential.ts';
import type { SignedRequest } from './signed-request.ts';
import { SigningKeys } from './signing-keys.ts';
import { invalidSignature, signatureMismatch } from './sigv4-error.ts';

export interface Verification {
  /** Secret access key of the one who says they signed. */
  readonly secret: string;
  /**
   * SHA-256 of the body in lower-case hexadecimal. Where the client declares it, the declared one may be given before the body
   * is read, if `verifyBodyHash` follows when it was.
   */
  readonly bodyHashHex: string;
  /** Host the client asked for, where a trusted proxy changed the header. */
  readonly host?: string;
  /** Takes requests whose body is not signed (UNSIGNED-PAYLOAD); ECR's clients send none. */
  readonly allowUnsignedPayload?: boolean;
}

export interface Verifier {
  /** Signs the request again, over just the headers the client signed, and throws SigV4Error unless the signatures are the same. */
  verify(signed: SignedRequest, request: IncomingMessage, verification: Verification): void;
}

/** @param keysMax derived keys to remember */
export function createVerifier({ keysMax = 1000 }: { keysMax?: number } = {}): Verifier {
  const keys = new SigningKeys(keysMax);
  return {
    verify(signed, request, { secret, bodyHashHex, host, allowUnsignedPayload = false }) {
      const isUnsigned = signed.payloadHash === 'UNSIGNED-PAYLOAD';
      if (isUnsigned && !allowUnsignedPayload) throw invalidSignature('The request body must be signed.');
      const payloadHash = isUnsigned ? 'UNSIGNED-PAYLOAD' : bodyHashHex;
      verifyBodyHash(signed, bodyHashHex);
      const key = keys.keyFor(signed, secret);
      const text = stringToSign(signed, canonicalRequest(request, signed.signedHeaders, payloadHash, host));
      const expected = createHmac('sha256', key).update(text).digest('hex');
      if (!isSame(expected, signed.signature)) throw signatureMismatch();
      keys.keep(signed, secret, key);
    },
  };
}

/** Throws SigV4Error when the body is not the one the client declared; a client that declares none has it in the signature. */
export function verifyBodyHash({ payloadHash }: SignedRequest, bodyHashHex: string): void {
  const isDeclared = payloadHash !== undefined && payloadHash !== 'UNSIGNED-PAYLOAD';
  if (isDeclared && payloadHash !== bodyHashHex) throw signatureMismatch();
}

function stringToSign({ signedAt, scope }: SignedRequest, canonical: string): string {
  const hash = createHash('sha256').update(canonical, 'latin1').digest('hex');
  return `AWS4-HMAC-SHA256\n${basicDate(signedAt)}\n${scope.date}/${scope.region}/${scope.service}/aws4_request\n${hash}`;
}

function isSame(expected: string, given: string): boolean {
  return expected.length === given.length && timingSafeEqual(Buffer.from(expected), Buffer.from(given, 'latin1'));
}
