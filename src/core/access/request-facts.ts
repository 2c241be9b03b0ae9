/** What a decision may depend on besides who asks for what: facts of the request. */
export interface RequestFacts {
  /** The client's address; a trusted proxy's word for it counts. */
  readonly sourceIp?: string;
  /** Whether the client's bytes were encrypted on the way. */
  readonly isSecure?: boolean;
  /** Tags that the request would put on a resource. */
  readonly requestTags?: readonly { readonly key: string; readonly value: string }[];
  /** Keys that an UntagResource names. */
  readonly tagKeys?: readonly string[];
  /** The setting that PutAccountSetting names. */
  readonly accountSetting?: string;
}
