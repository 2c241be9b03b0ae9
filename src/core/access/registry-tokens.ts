import { hash } from 'node:crypto';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import type { Registry } from '../values/registry.ts';
import type { Caller } from './caller.ts';
import { createKeyring } from './keyring.ts';

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

/** ECR user guide, "Registry authentication". */
const TOKEN_SECONDS = 12 * 3600;

/** Clients send the same token with every request: so many are known again without verifying them anew. */
const REMEMBERED_MAX = 10_000;

/** `KEY-ID.PAYLOAD.SIGNATURE`, the payload being JSON in base64url. */
export function createRegistryTokens(dependencies: CoreDependencies): RegistryTokens {
  const keyring = createKeyring(dependencies, 'registry-token');
  // By hash, so that no password is kept. What a key has signed stays signed by it; whether it has expired is asked each time.
  let remembered = new Map<string, Omit<ReadToken, 'expired'>>();

  const verified = async (password: string) => {
    const [keyId, payload, signature, ...rest] = password.split('.');
    if (!keyId || !payload || !signature || rest.length > 0) return undefined;
    if (!(await keyring.verify(keyId, payload, signature))) return undefined;
    const { caller, registry, expires } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Payload;
    return { caller, registry, expiresAt: new Date(expires) };
  };

  return {
    async issue(caller, registry) {
      const expiresAt = secondsAfter(dependencies.now(), TOKEN_SECONDS);
      const payload = Buffer.from(JSON.stringify({ caller, registry, expires: expiresAt.getTime() })).toString(
        'base64url',
      );
      const { keyId, signature } = await keyring.sign(payload);
      return { password: `${keyId}.${payload}.${signature}`, expiresAt };
    },

    async read(password) {
      const id = hash('sha256', password, 'base64');
      const token = remembered.get(id) ?? (await verified(password));
      if (token === undefined) return undefined;
      if (remembered.size >= REMEMBERED_MAX) remembered = new Map();
      remembered.set(id, token);
      return { ...token, expired: token.expiresAt.getTime() <= dependencies.now().getTime() };
    },
  };
}

interface Payload {
  readonly caller: Caller;
  readonly registry: Registry;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}
