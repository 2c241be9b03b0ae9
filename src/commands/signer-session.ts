import { readAccessCommand } from '../config/access-config.ts';
import { createSignerProfiles, SignerProfileError, type SignerProfiles } from '../core/signing/signer-profiles.ts';
import { CertificateChainError } from '../core/signing/signing-certificates.ts';
import type { Registry } from '../core/values/registry.ts';
import { type AccessSession, openAccessSession } from './access-session.ts';
import { CommandError, type Invocation } from './command-spec.ts';
import { createOperatorTrail, type RecordChange } from './operator-trail.ts';

export interface SignerSession extends AccessSession {
  readonly registry: Registry;
  readonly profiles: SignerProfiles;
  readonly recordChange: RecordChange;
}

export async function openSignerSession(invocation: Invocation): Promise<SignerSession> {
  const session = await openAccessSession(invocation);
  const { dependencies, access, accountId, region } = session;
  const { auditFile } = readAccessCommand(invocation.flags, invocation.environment);
  return {
    ...session,
    registry: { accountId, region },
    profiles: createSignerProfiles(dependencies, access.box),
    recordChange: createOperatorTrail(auditFile, accountId, dependencies.now, 'signer.amazonaws.com'),
  };
}

/** What is wrong with a profile, a key or a chain is told in its words alone. */
export async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof SignerProfileError || error instanceof CertificateChainError) {
      throw new CommandError(error.message);
    }
    throw error;
  }
}
