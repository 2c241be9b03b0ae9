import type { Registry } from '../values/registry.ts';
import type { Caller } from './caller.ts';
import type { Directory } from './directory.ts';
import type { RegistryTokens } from './registry-tokens.ts';
import type { RobotTokens } from './robot-tokens.ts';

/** Who a docker password or bearer token speaks for, where that counts. */
export interface Callers {
  /**
   * `unknown`: no token of ours, or one whose user, key or robot token is gone. `expired`: ours, and too old.
   * The registry is the one a registry token was made for; a robot token names none.
   */
  ofPassword(password: string): Promise<KnownCaller | 'unknown' | 'expired'>;
}

export interface KnownCaller {
  readonly caller: Caller;
  readonly registry?: Registry;
}

/** Who gives no credentials, where a repository policy may let them pull. */
export const ANONYMOUS: Caller = { kind: 'anonymous', accountId: '', arn: '', userId: '' };

export function createCallers(
  directory: Pick<Directory, 'isValid'>,
  registryTokens: RegistryTokens,
  robotTokens: RobotTokens,
): Callers {
  return {
    async ofPassword(password) {
      const robot = await robotTokens.read(password);
      if (robot) return { caller: robot };
      const token = await registryTokens.read(password);
      // A token that was made while the server was open proves nothing.
      if (!token || token.caller.kind === 'open' || !(await directory.isValid(token.caller))) return 'unknown';
      return token.expired ? 'expired' : { caller: token.caller, registry: token.registry };
    },
  };
}
