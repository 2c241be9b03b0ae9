import type { GateNote } from '../gates/gate-decision.ts';
import type { Registry } from '../values/registry.ts';
import type { RequestFacts } from './request-facts.ts';

/** Who is asking. Protocols find out; core is told. It travels in tokens, so it is plain data. */
export interface Caller {
  /** `open`: nobody was asked for credentials. `anonymous`: none were given where they count. */
  readonly kind: 'open' | 'root' | 'user' | 'assumed-role' | 'anonymous';
  /** Twelve digits; empty for an anonymous caller. */
  readonly accountId: string;
  /** Empty for an anonymous caller. */
  readonly arn: string;
  /** The unique id STS reports, for example an access key's owner. */
  readonly userId: string;
  /** Of a user. */
  readonly userName?: string;
  /** Of an assumed role: the role behind the session. */
  readonly roleArn?: string;
  /** The key that signed, if one did: what it makes possible ends with it. */
  readonly accessKeyId?: string;
  /** The robot token used, if one was: what it makes possible ends with it. */
  readonly robotTokenId?: string;
  /** Policy documents that must allow too, whatever the identity may do: of a role session or a robot token. */
  readonly sessionPolicies?: readonly string[];
}

/** What goes with every core call: who asks, and which registry is meant (the caller's own unless another was named). */
export interface Call {
  readonly caller: Caller;
  readonly registry: Registry;
  /** Of the request, for what core itself has to ask the authorizer. */
  readonly facts?: RequestFacts;
  /** Told what a gate decided, for the audit trail. */
  readonly onGate?: (note: GateNote) => void;
}
