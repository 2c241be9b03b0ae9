import type { Caller } from '../../core/access/caller.ts';
import type { RequestFacts } from '../../core/access/request-facts.ts';
import type { Core } from '../../core/core.ts';

/** One request of an action, read and authenticated. */
export interface ActionRequest {
  readonly core: Core;
  readonly query: URLSearchParams;
  readonly facts: RequestFacts;
}

export interface SignedActionRequest extends ActionRequest {
  readonly caller: Caller;
}

/** What stands inside an answer's `…Result`, in this order; undefined members are left out. */
export interface ActionResult {
  readonly [name: string]: string | ActionResult | undefined;
}
