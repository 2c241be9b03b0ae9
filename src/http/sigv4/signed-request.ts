/** What a request says about its signature. Nothing is verified yet. */
export interface SignedRequest {
  /** In the Authorization header, or in the query of a presigned link. */
  readonly form: 'header' | 'query';
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** Lower case, in the order the client signed them. */
  readonly signedHeaders: readonly string[];
  /** As sent; not necessarily 64 hexadecimal digits. */
  readonly signature: string;
  readonly signedAt: Date;
  readonly sessionToken: string | undefined;
  /** SHA-256 of the body as the client declares it (64 lower-case digits); undefined when it declares none. */
  readonly payloadHash: string | 'UNSIGNED-PAYLOAD' | undefined;
  /** How long a presigned link is good for, when it says. */
  readonly expiresSeconds: number | undefined;
}

export interface CredentialScope {
  /** YYYYMMDD */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}
