import type { Registry } from '../values/registry.ts';

/** Who is asking. Protocols find out; core is told. */
export interface Caller {
  /** Twelve digits. */
  readonly accountId: string;
  readonly arn: string;
  /** The unique id STS reports, for example an access key's owner. */
  readonly userId: string;
}

/** What goes with every core call: who asks, and which registry is meant (the caller's own unless another was named). */
export interface Call {
  readonly caller: Caller;
  readonly registry: Registry;
}
