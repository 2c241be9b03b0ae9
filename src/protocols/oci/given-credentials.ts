/** What a client says to be admitted. */
export interface GivenCredentials {
  readonly scheme: 'basic' | 'bearer';
  /** Empty with a bearer token. ECR's clients say `AWS`; any name will do. */
  readonly userName: string;
  /** Or the bearer token: both are passwords of ours. */
  readonly password: string;
}

/** Reads an Authorization header in Basic (RFC 7617) or Bearer (RFC 6750) form; undefined for any other text. */
export function givenCredentials(authorization: string): GivenCredentials | undefined {
  const space = authorization.indexOf(' ');
  const value = authorization.slice(space + 1).trim();
  switch (authorization.slice(0, Math.max(space, 0)).toLowerCase()) {
    case 'basic':
      return basicCredentials(value);
    case 'bearer':
      return { scheme: 'bearer', userName: '', password: value };
    default:
      return undefined;
  }
}

function basicCredentials(base64: string): GivenCredentials | undefined {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return { scheme: 'basic', userName: text.slice(0, colon), password: text.slice(colon + 1) };
}
