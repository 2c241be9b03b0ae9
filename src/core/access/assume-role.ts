import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { parseIdentityArn, roleArn } from './arn.ts';
import type { Caller } from './caller.ts';
import type { Directory } from './directory.ts';
import type { IdentityProvider, Role } from './identity-records.ts';
import { PolicyError, parsePolicy } from './policy/document.ts';
import { evaluate } from './policy/evaluate.ts';
import { principalContext } from './policy/principals.ts';
import { timeContext } from './policy/time-context.ts';
import type { RequestFacts } from './request-facts.ts';
import type { RoleSessions, TemporaryCredentials } from './role-sessions.ts';

/** What STS does besides saying who one is. */
export interface RoleAssumption {
  /** Refuses with access-denied (no such role says the same), invalid-parameter. */
  assume(caller: Caller, input: AssumeRoleInput, facts: RequestFacts): Promise<TemporaryCredentials>;
  /** Refuses with web-identity-invalid, access-denied, invalid-parameter. */
  assumeWithWebIdentity(
    input: AssumeRoleInput & { webIdentityToken: string },
    facts: RequestFacts,
  ): Promise<WebIdentitySession>;
}

export interface AssumeRoleInput {
  readonly roleArn: string;
  readonly sessionName: string;
  /** The role's maximum, and at most an hour, when left out. */
  readonly seconds?: number;
  readonly sessionPolicy?: string;
}

export interface WebIdentitySession extends TemporaryCredentials {
  readonly subject: string;
  readonly audience: string;
  readonly provider: string;
}

/** Checks a token of an OpenID Connect issuer: signature by the issuer's own keys, times, issuer, audience. */
export interface WebIdentityVerifier {
  /** The issuer a token claims, unverified; undefined for what is no token. */
  issuerOf(token: string): string | undefined;
  /** Throws with the reason when the token is not good. */
  verify(token: string, provider: IdentityProvider): Promise<WebIdentityClaims>;
}

export interface WebIdentityClaims {
  readonly subject: string;
  readonly audience: string;
  /** All claims that are texts or lists of texts, for conditions. */
  readonly texts: ReadonlyMap<string, string | readonly string[]>;
}

/** STS API reference, AssumeRole: 15 minutes to 12 hours, one hour when nothing is said. */
const SECONDS_MIN = 900;
const SECONDS_DEFAULT = 3600;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;

export function createRoleAssumption(
  { metadata, now, settings }: Pick<CoreDependencies, 'metadata' | 'now' | 'settings'>,
  directory: Directory,
  sessions: RoleSessions,
  verifier: WebIdentityVerifier,
): RoleAssumption {
  const roleOf = async (arn: string) => {
    const { kind, accountId = '', name = '' } = parseIdentityArn(arn) ?? {};
    // A policy that denies the role names it by its one ARN: with another partition it must be nobody's.
    const isOurs = kind === 'role' && arn === roleArn(settings.partition, accountId, name);
    return isOurs ? directory.role(accountId, name) : undefined;
  };

  return {
    async assume(caller, input, facts) {
      const checked = checkInput(input);
      const role = await roleOf(input.roleArn);
      if (!role || !(await trusts(directory, role, caller, input.roleArn, { ...facts, at: now() })))
        return deny(caller.arn, input, 'sts:AssumeRole');
      return sessions.issue(role, { ...checked, seconds: secondsOf(input, role, caller) });
    },

    async assumeWithWebIdentity(input, facts) {
      const checked = checkInput(input);
      const role = await roleOf(input.roleArn);
      const issuer = verifier.issuerOf(input.webIdentityToken);
      if (issuer === undefined)
        return refuse({
          kind: 'web-identity-invalid',
          reason: 'The web identity token that was passed could not be validated',
        });
      const action = 'sts:AssumeRoleWithWebIdentity';
      if (!role) return deny('', input, action);
      const provider = await metadata.read.access.identityProvider(role.accountId, issuer);
      if (!provider) {
        const reason = `No OpenIDConnect provider found in your account for ${issuer}`;
        return refuse({ kind: 'web-identity-invalid', reason });
      }
      const claims = await verifier.verify(input.webIdentityToken, provider).catch((error: Error) => {
        return refuse({ kind: 'web-identity-invalid', reason: error.message });
      });
      if (
        !trustsClaims(role, input.roleArn, claims, {
          issuer,
          partition: settings.partition,
          facts: { ...facts, at: now() },
        })
      )
        return deny(claims.subject, input, action);
      const session = await sessions.issue(role, { ...checked, seconds: secondsOf(input, role) });
      return { ...session, subject: claims.subject, audience: claims.audience, provider: issuer };
    },
  };
}

function checkInput({ sessionName, sessionPolicy }: AssumeRoleInput) {
  if (!SESSION_NAME.test(sessionName)) {
    const constraint = 'Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}';
    refuse({ kind: 'invalid-parameter', parameter: 'roleSessionName', constraint });
  }
  if (sessionPolicy === undefined) return { sessionName };
  try {
    parsePolicy(sessionPolicy, 'identity');
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    refuse({ kind: 'invalid-parameter', parameter: 'policy', constraint: error.message });
  }
  return { sessionName, sessionPolicy };
}

/** A session that assumes another role (chaining) gets an hour at most, as STS gives it. */
function secondsOf({ seconds }: AssumeRoleInput, role: Role, caller?: Caller): number {
  const max =
    caller?.kind === 'assumed-role' ? Math.min(SECONDS_DEFAULT, role.sessionSecondsMax) : role.sessionSecondsMax;
  const wanted = seconds ?? Math.min(SECONDS_DEFAULT, max);
  if (wanted >= SECONDS_MIN && wanted <= max) return wanted;
  const constraint = `The requested DurationSeconds must lie between ${SECONDS_MIN} and ${max}, the maximum of this role`;
  return refuse({ kind: 'invalid-parameter', parameter: 'durationSeconds', constraint });
}

/** The trust policy is the role's resource policy. */
async function trusts(
  directory: Directory,
  role: Role,
  caller: Caller,
  resource: string,
  facts: RequestFacts & { at: Date },
): Promise<boolean> {
  if (caller.kind === 'open' || caller.kind === 'anonymous') return false;
  const { kind, accountId, arn, userId, userName } = caller;
  const principal = {
    kind,
    accountId,
    arn,
    userId,
    ...(userName && { userName }),
    ...(caller.roleArn && { roleArn: caller.roleArn }),
  };
  const context = new Map([...principalContext(principal), ...requestContext(facts)]);
  const session = caller.sessionPolicies?.map((text) => ({
    name: 'session policy',
    document: parsePolicy(text, 'identity'),
  }));
  const { allowed } = evaluate(
    { principal, action: 'sts:AssumeRole', resource, resourceAccountId: role.accountId, context },
    {
      identity: await directory.identityPolicies(caller),
      repository: { name: 'trust policy', document: parsePolicy(role.trustPolicy, 'trust') },
      ...(session && { session }),
    },
  );
  return allowed;
}

function requestContext({
  at,
  sourceIp,
  isSecure = false,
}: RequestFacts & { at: Date }): [key: string, value: string][] {
  const facts: [string, string][] = [...timeContext(at), ['aws:securetransport', String(isSecure)]];
  return sourceIp === undefined ? facts : [...facts, ['aws:sourceip', sourceIp]];
}

/** Condition keys are `ISSUER:claim`, the issuer without its scheme (IAM user guide, "Available keys for AWS OIDC federation"). */
function trustsClaims(
  role: Role,
  resource: string,
  claims: WebIdentityClaims,
  { issuer, partition, facts }: { issuer: string; partition: string; facts: RequestFacts & { at: Date } },
): boolean {
  const host = issuer.replace(/^https?:\/\//, '');
  const context = new Map<string, string | readonly string[]>(requestContext(facts));
  for (const [claim, value] of claims.texts) context.set(`${host}:${claim}`.toLowerCase(), value);
  context.set(`${host}:sub`.toLowerCase(), claims.subject);
  context.set(`${host}:aud`.toLowerCase(), claims.audience);
  const { allowed } = evaluate(
    {
      principal: {
        kind: 'federated',
        accountId: role.accountId,
        arn: `arn:${partition}:iam::${role.accountId}:oidc-provider/${host}`,
        userId: '',
      },
      action: 'sts:AssumeRoleWithWebIdentity',
      resource,
      resourceAccountId: role.accountId,
      context,
    },
    { identity: [], repository: { name: 'trust policy', document: parsePolicy(role.trustPolicy, 'trust') } },
  );
  return allowed;
}

function deny(callerArn: string, { roleArn }: AssumeRoleInput, action: string): never {
  return refuse({ kind: 'access-denied', callerArn, action, resource: roleArn, because: '' });
}
