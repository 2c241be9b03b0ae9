import type { Caller } from './caller.ts';
import type { Registry } from '../values/registry.ts';

/** The password half of what GetAuthorizationToken hands out. */
export interface RegistryTokens {
  /** Makes a token good for twelve hours (ECR user guide, "Registry authentication"). */
  issue(caller: Caller, registry: Registry): Promise<IssuedToken>;
  /** Reads a token that this store's key signed; undefined for any other text. An expired one says so. */
  read(password: string): Promise<ReadToken | undefined>;
}

export interface IssuedToken {
  readonly password: string;
  readonly expiresAt: Date;
}

export interface ReadToken {
  readonly caller: Caller;
  readonly registry: Registry;
  readonly expiresAt: Date;
  readonly expired: boolean;
}
