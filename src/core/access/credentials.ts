import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { rootArn, userArn } from './arn.ts';
import type { Caller } from './caller.ts';
import type { Directory } from './directory.ts';
import type { AccessKey } from './identity-records.ts';
import type { RoleSessions } from './role-sessions.ts';
import type { SecretBox } from './secret-box.ts';

/** Finds who a signature speaks for. */
export interface Credentials {
  /**
   * The secret to sign again with, and the caller it proves. Refuses with credentials-unknown (no such key, an inactive one, a
   * session token that is not ours) and credentials-expired.
   */
  find(accessKeyId: string, sessionToken: string | undefined): Promise<{ secret: string; caller: Caller }>;
}

export function createCredentials(
  { settings }: Pick<CoreDependencies, 'settings'>,
  directory: Directory,
  box: SecretBox,
  sessions: RoleSessions,
): Credentials {
  // With the record it is from: it goes when the directory forgets that.
  const opened = new WeakMap<AccessKey, string>();
  const secretOf = (key: AccessKey): string => {
    const secret = opened.get(key) ?? box.open(key.sealedSecret, key.id);
    opened.set(key, secret);
    return secret;
  };

  const callerOf = async ({ id, accountId, userName }: AccessKey): Promise<Caller> => {
    if (userName === undefined) {
      const arn = rootArn(settings.partition, accountId);
      return { kind: 'root', accountId, arn, userId: accountId, accessKeyId: id };
    }
    const user = await directory.user(accountId, userName);
    if (!user) return refuse({ kind: 'credentials-unknown' });
    const arn = userArn(settings.partition, accountId, userName);
    return { kind: 'user', accountId, arn, userId: user.userId, userName, accessKeyId: id };
  };

  return {
    async find(accessKeyId, sessionToken) {
      if (sessionToken !== undefined) {
        const session = await sessions.open(accessKeyId, sessionToken);
        if (!(await directory.isValid(session.caller))) refuse({ kind: 'credentials-unknown' });
        return session;
      }
      const key = await directory.accessKey(accessKeyId);
      if (!key?.isActive) return refuse({ kind: 'credentials-unknown' });
      return { secret: secretOf(key), caller: await callerOf(key) };
    },
  };
}
