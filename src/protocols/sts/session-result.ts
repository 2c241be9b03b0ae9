import type { TemporaryCredentials } from '../../core/access/role-sessions.ts';
import type { ActionResult } from './action.ts';

export function sessionResult(session: TemporaryCredentials): ActionResult {
  return {
    AssumedRoleUser: { AssumedRoleId: session.caller.userId, Arn: session.caller.arn },
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: session.expiresAt.toISOString(),
    },
  };
}
