import type { Caller } from '../access/caller.ts';
import type { GateNote } from '../gates/gate-decision.ts';
import type { Registry } from '../values/registry.ts';

/** Keeps what was asked, by whom, and what came of it. */
export interface AuditTrail {
  /** Takes an entry; never throws and never waits, whatever becomes of the trail. */
  record(entry: AuditEntry): void;
}

/** One request, as a face saw it. Nothing in it may be a secret, a token or a signature. */
export interface AuditEntry {
  readonly at: Date;
  readonly requestId: string;
  /** The API operation, or the action an OCI route stands for, without its prefix: `PutImage`. */
  readonly eventName: string;
  readonly eventSource: 'ecr.amazonaws.com' | 'sts.amazonaws.com';
  /** Undefined when nobody could be told. */
  readonly caller: Caller | undefined;
  readonly registry: Registry | undefined;
  readonly sourceIp: string | undefined;
  readonly userAgent: string | undefined;
  /** ARNs. */
  readonly resources: readonly string[];
  /** What was asked for, without bodies, policies' secrets or passwords. */
  readonly requestParameters: Readonly<Record<string, unknown>>;
  /** What decided, in words: `allowed-by-identity: identity policy 'x', statement 1`. */
  readonly decision: string | undefined;
  /** What gates decided about the images that were asked for. */
  readonly gates?: readonly GateNote[] | undefined;
  /** Present when the request was refused or failed. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** Keeps nothing. */
export const noAuditTrail: AuditTrail = { record() {} };
