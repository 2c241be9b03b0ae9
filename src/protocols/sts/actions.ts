import { assumeRole } from './AssumeRole.ts';
import { assumeRoleWithWebIdentity } from './AssumeRoleWithWebIdentity.ts';
import type { ActionRequest, ActionResult, SignedActionRequest } from './action.ts';
import { getCallerIdentity } from './GetCallerIdentity.ts';

/** What of STS there is, and whether a request has to be signed. */
export const ACTIONS = {
  GetCallerIdentity: { isSigned: true, run: getCallerIdentity },
  AssumeRole: { isSigned: true, run: assumeRole },
  AssumeRoleWithWebIdentity: { isSigned: false, run: assumeRoleWithWebIdentity },
} as const satisfies Record<string, Action>;

export type ActionName = keyof typeof ACTIONS;

type Action =
  | { readonly isSigned: true; readonly run: (request: SignedActionRequest) => Promise<ActionResult> }
  | { readonly isSigned: false; readonly run: (request: ActionRequest) => Promise<ActionResult> };

export function isActionName(text: string): text is ActionName {
  return Object.hasOwn(ACTIONS, text);
}
