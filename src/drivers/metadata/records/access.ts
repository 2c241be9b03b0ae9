import type { AccessReads, AccessRecords } from '../../../core/access/identity-records.ts';
import type { Session } from '../session.ts';
import { groupChanges, groupReads } from './access-groups.ts';
import { identityProviderChanges, identityProviderReads } from './access-identity-providers.ts';
import { accessKeyChanges, accessKeyReads } from './access-keys.ts';
import { attachedPolicyChanges, attachedPolicyReads } from './access-policies.ts';
import { resourcePolicyChanges, resourcePolicyReads } from './access-resource-policies.ts';
import { robotTokenChanges, robotTokenReads } from './access-robot-tokens.ts';
import { roleChanges, roleReads } from './access-roles.ts';
import { userChanges, userReads } from './access-users.ts';
import { versionReads } from './access-version.ts';

export function accessReads(session: Session): AccessReads {
  return {
    ...versionReads(session),
    ...userReads(session),
    ...roleReads(session),
    ...groupReads(session),
    ...accessKeyReads(session),
    ...attachedPolicyReads(session),
    ...robotTokenReads(session),
    ...identityProviderReads(session),
    ...resourcePolicyReads(session),
  };
}

export function accessRecords(session: Session): AccessRecords {
  return {
    ...accessReads(session),
    ...userChanges(session),
    ...roleChanges(session),
    ...groupChanges(session),
    ...accessKeyChanges(session),
    ...attachedPolicyChanges(session),
    ...robotTokenChanges(session),
    ...identityProviderChanges(session),
    ...resourcePolicyChanges(session),
  };
}
