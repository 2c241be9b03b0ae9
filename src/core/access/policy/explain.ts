import { type ApplicablePolicies, type Decision, evaluate } from './evaluate.ts';
import type { Mismatch, PolicyRequest, TraceLine } from './trace.ts';

/** Why a request is allowed or denied, in words: the decision first, then a line for each statement that was looked at. */
export function explain(request: PolicyRequest, policies: ApplicablePolicies): string[] {
  return explainDecision(request, evaluate(request, policies));
}

/** The same for a decision already taken. */
export function explainDecision(request: PolicyRequest, decision: Decision): string[] {
  const { principal, action, resource } = request;
  const who = principal.arn || 'An anonymous caller';
  const verb = decision.allowed ? 'may' : 'may not';
  return [
    `${who} ${verb} perform ${action} on ${resource}: ${REASONS[decision.reason]}${whichStatement(decision)}.`,
    ...decision.trace.map((line) => explainLine(line)),
  ];
}

const REASONS: Readonly<Record<Decision['reason'], string>> = {
  'allowed-by-identity': 'an identity policy allows it',
  'allowed-by-resource': 'a policy of the resource allows it',
  'allowed-as-root': 'the root of the account may do everything in it',
  'explicit-deny': 'a policy denies it',
  'no-identity-allow': 'no identity policy allows it',
  'no-resource-allow': 'no policy of the resource allows it',
  'no-session-allow': 'a policy of the session or the token does not allow it',
};

function whichStatement({ decidedBy }: Decision): string {
  return decidedBy ? ` (${statementName(decidedBy)})` : '';
}

type StatementPlace = Pick<TraceLine, 'kind' | 'policy' | 'statement'> & { readonly sid?: string | undefined };

function statementName({ kind, policy, statement, sid }: StatementPlace): string {
  const label = sid ? `${statement} "${sid}"` : `${statement}`;
  return `statement ${label} of the ${kind} policy '${policy}'`;
}

function explainLine(line: TraceLine): string {
  return `${statementName(line)}, ${line.effect}: ${outcome(line)}`;
}

function outcome({ effect, mismatch, delegates }: TraceLine): string {
  if (mismatch) return `does not apply, ${explainMismatch(mismatch)}`;
  if (delegates && effect === 'Allow') return "applies to the caller's account, whose own policies must allow too";
  return 'applies';
}

function explainMismatch({ element, wanted, actual }: Mismatch): string {
  const values = Array.isArray(actual) ? actual.join(', ') : (actual ?? 'absent');
  return `${element} has ${wanted.join(', ')} and the request ${values}`;
}
