import type { ActionRequest, ActionResult } from './action.ts';
import { requiredParameter, roleParameters } from './role-parameters.ts';
import { sessionResult } from './session-result.ts';

/** The token says who asks; the request carries no signature. */
export async function assumeRoleWithWebIdentity({ core, query, facts }: ActionRequest): Promise<ActionResult> {
  const input = roleParameters(query);
  const webIdentityToken = requiredParameter(query, 'WebIdentityToken');
  const session = await core.roleAssumption.assumeWithWebIdentity({ ...input, webIdentityToken }, facts);
  return {
    SubjectFromWebIdentityToken: session.subject,
    Audience: session.audience,
    ...sessionResult(session),
    Provider: session.provider,
  };
}
