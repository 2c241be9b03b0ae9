export type SigV4ErrorCode =
  | 'IncompleteSignatureException'
  | 'InvalidSignatureException'
  | 'MissingAuthenticationTokenException';

/** A request that is not signed, or not as AWS asks. The text is AWS's own and holds no secret, signature or canonical request. */
export class SigV4Error extends Error {
  readonly code: SigV4ErrorCode;
  constructor(code: SigV4ErrorCode, message: string) {
    super(message);
    this.name = 'SigV4Error';
    this.code = code;
  }
}

/** What a request without any signature is answered where one is needed. */
export function missingAuthentication(): SigV4Error {
  return new SigV4Error('MissingAuthenticationTokenException', 'Missing Authentication Token');
}

export function incompleteSignature(message: string): SigV4Error {
  return new SigV4Error('IncompleteSignatureException', message);
}

export function invalidSignature(message: string): SigV4Error {
  return new SigV4Error('InvalidSignatureException', message);
}

/** AWS goes on with the canonical request it made; that is kept back, since it tells what a secret was used on. */
export function signatureMismatch(): SigV4Error {
  return invalidSignature(
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  );
}
