import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { parseRepositoryArn, type Registry } from '../values/registry.ts';
import type { Authorizer, Permission } from './authorizer.ts';
import type { Caller } from './caller.ts';
import { createDecisionMemo } from './decision-memo.ts';
import type { Directory } from './directory.ts';
import { denialReason } from './policy/denial.ts';
import { type NamedPolicy, parsePolicy } from './policy/document.ts';
import { type ApplicablePolicies, type Decision, evaluate, type PolicyRequest } from './policy/evaluate.ts';
import { type PolicyPrincipal, principalContext } from './policy/principals.ts';
import { timeContext } from './policy/time-context.ts';
import type { RequestFacts } from './request-facts.ts';

export interface EnforcingAuthorizer extends Authorizer {
  /** The whole decision, for `gantry explain`. */
  decide(caller: Caller, permission: Permission, facts?: RequestFacts): Promise<Decided>;
}

export interface Decided {
  readonly request: PolicyRequest;
  readonly policies: ApplicablePolicies;
  readonly decision: Decision;
}

/**
 * Decides by policies: those of the caller's identity and session, of the repository, and of the registry that is asked
 * (scope V2: it counts for every action). ECR user guide, "How Amazon ECR works with IAM".
 *
 * @param region of a permission that names neither resource nor registry
 */
export function createEnforcingAuthorizer(
  { metadata, now }: Pick<CoreDependencies, 'metadata' | 'now'>,
  directory: Directory,
  region: string,
): EnforcingAuthorizer {
  const sessionPolicy = sessionPolicyCompiler();
  const memo = createDecisionMemo();

  const placeOf = async (caller: Caller, permission: Permission): Promise<Place> => {
    const repository = parseRepositoryArn(permission.resource);
    const registry = repository?.registry ?? permission.registry ?? { accountId: caller.accountId, region };
    return { registry, policies: await policiesFor(caller, registry, repository?.repositoryName) };
  };

  const policiesFor = async (caller: Caller, registry: Registry, repositoryName: string | undefined) => {
    const identity = caller.kind === 'anonymous' ? NO_POLICIES : await directory.identityPolicies(caller);
    const repository =
      repositoryName === undefined ? undefined : await directory.repositoryPolicy(registry, repositoryName);
    const ofRegistry = await directory.registryPolicy(registry);
    const session = caller.sessionPolicies?.map(sessionPolicy);
    return {
      identity,
      ...(repository && { repository }),
      ...(ofRegistry && { registry: ofRegistry }),
      ...(session && { session }),
    };
  };

  /** The repository itself is looked up only where its tags may count. */
  const decideAt = async (
    caller: Caller,
    permission: Permission,
    { registry, policies }: Place,
    facts: RequestFacts,
  ) => {
    const { action, resource } = permission;
    const named = parseRepositoryArn(resource);
    const repository = named && (await metadata.read.repositories.find(named.registry, named.repositoryName));
    const context = contextOf(caller, registry, repository, facts, now());
    const principal = principalOf(caller);
    const request: PolicyRequest = { principal, action, resource, resourceAccountId: registry.accountId, context };
    return { request, policies, decision: evaluate(request, policies) };
  };

  return {
    decide: async (caller, permission, facts = {}) =>
      decideAt(caller, permission, await placeOf(caller, permission), facts),

    async authorize(caller, permission, facts = {}) {
      const place = await placeOf(caller, permission);
      const decide = async () => (await decideAt(caller, permission, place, facts)).decision;
      const decision = await memo(caller, permission, place.policies, decide);
      if (decision.allowed) return describe(decision);
      const { action, resource } = permission;
      const because = denialReason(permission, decision);
      return refuse({ kind: 'access-denied', callerArn: caller.arn, action, resource, because });
    },
  };
}

const NO_POLICIES: readonly NamedPolicy[] = [];

interface Place {
  readonly registry: Registry;
  readonly policies: ApplicablePolicies;
}

/** Sessions and robot tokens come with every request; compiling their policies costs more than deciding by them. */
const SESSION_POLICIES_MAX = 1000;

function sessionPolicyCompiler(): (text: string) => NamedPolicy {
  const compiled = new Map<string, NamedPolicy>();
  return (text) => {
    const known = compiled.get(text);
    if (known) return known;
    if (compiled.size >= SESSION_POLICIES_MAX) compiled.clear();
    const policy = { name: 'session policy', document: parsePolicy(text, 'identity') };
    compiled.set(text, policy);
    return policy;
  };
}

/** Which statement decided, for the audit log. */
function describe({ reason, decidedBy }: Decision): string {
  if (!decidedBy) return reason;
  return `${reason}: ${decidedBy.kind} policy '${decidedBy.policy}', statement ${decidedBy.sid ?? decidedBy.statement}`;
}

function principalOf(caller: Caller): PolicyPrincipal {
  const { accountId, arn, userId, userName, roleArn } = caller;
  const kind = caller.kind === 'open' ? 'root' : caller.kind;
  return { kind, accountId, arn, userId, ...(userName && { userName }), ...(roleArn && { roleArn }) };
}

/** The condition keys that ECR policies use (Service Authorization Reference, Amazon ECR; IAM, global keys). */
function contextOf(
  caller: Caller,
  registry: Registry,
  repository: Repository | undefined,
  facts: RequestFacts,
  now: Date,
): ReadonlyMap<string, string | readonly string[]> {
  const context = new Map<string, string | readonly string[]>([
    ...principalContext(principalOf(caller)),
    ...timeContext(now),
  ]);
  context.set('aws:resourceaccount', registry.accountId);
  context.set('aws:requestedregion', registry.region);
  context.set('aws:securetransport', String(facts.isSecure ?? false));
  if (facts.sourceIp !== undefined) context.set('aws:sourceip', facts.sourceIp);
  if (facts.accountSetting !== undefined) context.set('ecr:accountsetting', facts.accountSetting);
  for (const { key, value } of repository?.resourceTags ?? []) {
    context.set(`aws:resourcetag/${key.toLowerCase()}`, value);
    context.set(`ecr:resourcetag/${key.toLowerCase()}`, value);
  }
  for (const { key, value } of facts.requestTags ?? []) context.set(`aws:requesttag/${key.toLowerCase()}`, value);
  const tagKeys = facts.tagKeys ?? facts.requestTags?.map(({ key }) => key);
  if (tagKeys) context.set('aws:tagkeys', tagKeys);
  return context;
}
