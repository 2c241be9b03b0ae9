import type { Decision } from './evaluate.ts';
import type { PolicyRequest } from './trace.ts';

/**
 * A denial in AWS's words, the whole sentence (IAM user guide, "Troubleshoot access denied error messages"):
 * `User: ARN is not authorized to perform: ACTION on resource: ARN because …`.
 */
export function denialText(request: PolicyRequest, decision: Decision): string {
  const { principal, action, resource } = request;
  const user = principal.arn || 'anonymous';
  return `User: ${user} is not authorized to perform: ${action} on resource: ${resource} ${denialReason(request, decision)}`;
}

/** The end of that sentence: why. Of a decision that allows there is none. */
export function denialReason({ action }: Pick<PolicyRequest, 'action'>, { reason, decidedBy }: Decision): string {
  switch (reason) {
    case 'explicit-deny':
      return `with an explicit deny in ${decidedBy ? POLICIES[decidedBy.kind] : 'a policy'}`;
    case 'no-identity-allow':
      return `because no identity-based policy allows the ${action} action`;
    case 'no-resource-allow':
      return `because no resource-based policy allows the ${action} action`;
    case 'no-session-allow':
      return `because no session policy allows the ${action} action`;
    default:
      throw new Error(`A decision that was ${reason} denies nothing`);
  }
}

const POLICIES: Readonly<Record<NonNullable<Decision['decidedBy']>['kind'], string>> = {
  identity: 'an identity-based policy',
  repository: 'a resource-based policy',
  registry: 'a resource-based policy',
  session: 'a session policy',
};
