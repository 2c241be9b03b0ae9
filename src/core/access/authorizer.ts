import type { Registry } from '../values/registry.ts';
import type { Caller } from './caller.ts';
import type { RequestFacts } from './request-facts.ts';

/** An IAM action as policies spell it, for example `ecr:PutImage`. */
export type Action = `${'ecr' | 'sts'}:${string}`;

/** What a request wants to do, and to what: a repository's ARN, or `*` where the action takes no resource. */
export interface Permission {
  readonly action: Action;
  readonly resource: string;
  /** Where an action without a resource is to be done; an ARN says it itself. */
  readonly registry?: Registry;
}

/** Decides. Every route and every operation asks exactly this before its core call; refusals are `access-denied`. */
export interface Authorizer {
  /** @returns what decided, in words for the audit log */
  authorize(caller: Caller, permission: Permission, facts?: RequestFacts): Promise<string>;
}

/** Admits everybody: the registry listens on loopback only, or its owner said `--insecure-open`. */
export const openAuthorizer: Authorizer = {
  async authorize() {
    return 'open';
  },
};
