import { anonymousPrincipal, runSimulation } from '@cloud-copilot/iam-simulate';
import type { PolicyRequest } from '../../src/core/access/policy/trace.ts';
import { type PolicyDrafts, textOf } from './policy-under-test.ts';

export interface Simulated {
  readonly result: 'Allowed' | 'ExplicitlyDenied' | 'ImplicitlyDenied';
  /** Keys, in lower case, that AWS does not give to this action and that the simulator left out. */
  readonly ignoredKeys: readonly string[];
}

/** What the simulator makes of a request, session policies aside. It knows one policy of the resource, so the registry's statements join the repository's. */
export async function simulate(request: PolicyRequest, drafts: PolicyDrafts, version?: string): Promise<Simulated> {
  const { principal, action, resource, resourceAccountId, context } = request;
  const isAnonymous = principal.kind === 'anonymous';
  const policyOf = (kind: 'identity' | 'repository', statements: Parameters<typeof textOf>[1]) =>
    JSON.parse(textOf(kind, statements, version)) as unknown;
  const ofResource = [...(drafts.repository ?? []), ...(drafts.registry ?? [])];
  const response = await runSimulation(
    {
      request: {
        principal: isAnonymous ? anonymousPrincipal : principal.arn,
        action,
        resource: { resource, accountId: resourceAccountId },
        contextVariables: Object.fromEntries(
          [...context].map(([key, value]) => [key, typeof value === 'string' ? value : [...value]]),
        ),
      },
      identityPolicies:
        drafts.identity && drafts.identity.length > 0 && !isAnonymous
          ? [{ name: 'own', policy: policyOf('identity', drafts.identity) }]
          : [],
      ...(ofResource.length > 0 && { resourcePolicy: policyOf('repository', ofResource) }),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (response.resultType === 'error') throw new Error(JSON.stringify(response.errors));
  const ignoredKeys = response.resultType === 'single' ? (response.result.ignoredContextKeys ?? []) : [];
  return { result: response.overallResult, ignoredKeys: ignoredKeys.map((key) => key.toLowerCase()) };
}
