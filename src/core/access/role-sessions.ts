import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { roleArn, sessionArn } from './arn.ts';
import type { Caller } from './caller.ts';
import { newAccessKeyId } from './identifiers.ts';
import type { Role } from './identity-records.ts';
import { createKeyring } from './keyring.ts';

/** Temporary credentials of an assumed role. They live in the session token itself: any node opens what one made. */
export interface RoleSessions {
  issue(role: Role, input: RoleSessionInput): Promise<TemporaryCredentials>;
  /** Refuses with credentials-unknown (not ours, or of another key) and credentials-expired. */
  open(accessKeyId: string, sessionToken: string): Promise<{ secret: string; caller: Caller }>;
}

export interface RoleSessionInput {
  readonly sessionName: string;
  readonly seconds: number;
  /** A policy document that must allow too. */
  readonly sessionPolicy?: string;
}

export interface TemporaryCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAt: Date;
  readonly caller: Caller;
}

export function createRoleSessions(dependencies: CoreDependencies): RoleSessions {
  const keyring = createKeyring(dependencies, 'role-session');
  const { settings, now, randomBytes } = dependencies;

  /** The secret follows from the token: whoever holds our key can make it again, and nobody else. */
  const secretOf = async (payload: string, keyId?: string) => {
    const derived = await keyring.derive(`secret of ${payload}`, keyId);
    return derived && { ...derived, secret: derived.bytes.toString('base64').slice(0, 40) };
  };

  return {
    async issue(role, { sessionName, seconds, sessionPolicy }) {
      const accessKeyId = newAccessKeyId('ASIA', randomBytes);
      const { accountId, name } = role;
      const caller: Caller = {
        kind: 'assumed-role',
        accountId,
        arn: sessionArn(settings.partition, accountId, name, sessionName),
        userId: `${role.roleId}:${sessionName}`,
        roleArn: roleArn(settings.partition, accountId, name),
        accessKeyId,
        ...(sessionPolicy !== undefined && { sessionPolicies: [sessionPolicy] }),
      };
      const expiresAt = secondsAfter(now(), seconds);
      const payload = Buffer.from(JSON.stringify({ caller, expires: expiresAt.getTime() })).toString('base64url');
      const { keyId, signature } = await keyring.sign(payload);
      const derived = await secretOf(payload, keyId);
      if (!derived) throw new Error('The key that signed cannot be found');
      const sessionToken = `${keyId}.${payload}.${signature}`;
      return { accessKeyId, secretAccessKey: derived.secret, sessionToken, expiresAt, caller };
    },

    async open(accessKeyId, sessionToken) {
      const [keyId = '', payload = '', signature = '', ...rest] = sessionToken.split('.');
      if (rest.length > 0 || !(await keyring.verify(keyId, payload, signature))) {
        return refuse({ kind: 'credentials-unknown' });
      }
      const { caller, expires } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Payload;
      if (caller.accessKeyId !== accessKeyId) refuse({ kind: 'credentials-unknown' });
      if (expires <= now().getTime()) refuse({ kind: 'credentials-expired' });
      const derived = await secretOf(payload, keyId);
      return derived ? { secret: derived.secret, caller } : refuse({ kind: 'credentials-unknown' });
    },
  };
}

interface Payload {
  readonly caller: Caller;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}
