import type { Authorizer } from '../../core/access/authorizer.ts';
import type { Call } from '../../core/access/caller.ts';
import type { RequestFacts } from '../../core/access/request-facts.ts';
import { refuse } from '../../core/errors.ts';
import type { AuditNotes } from './audit.ts';
import type { Client } from './authenticate.ts';
import type { ImplementedOperation } from './operations.ts';

/**
 * Asks for every action that an operation takes, on each of its resources; refuses with access-denied. What decided goes
 * into the notes.
 */
export async function authorizeOperation(
  authorizer: Authorizer,
  operation: ImplementedOperation,
  call: Call,
  { input, client, notes }: { input: unknown; client: Client; notes: AuditNotes },
): Promise<void> {
  const actions = [operation.action, ...(operation.alsoNeeds?.(input) ?? [])];
  const resources = operation.resources(call, input);
  if (resources.length === 0)
    throw new Error(`${operation.action} would be done to nothing, and so without a decision`);
  notes.resources = resources;
  const facts: RequestFacts = {
    ...(client.sourceIp && { sourceIp: client.sourceIp }),
    isSecure: client.isSecure,
    ...operation.facts?.(input),
  };
  const decisions = new Set<string>();
  for (const resource of resources) {
    for (const action of actions) {
      if (resource === '*') refuseForeign(call, action);
      decisions.add(await authorizer.authorize(call.caller, { action, resource, registry: call.registry }, facts));
    }
  }
  notes.decision = [...decisions].join('; ');
}

/** What belongs to a registry as a whole has no resource policy that could let another account in. */
function refuseForeign({ caller, registry }: Call, action: string): void {
  if (caller.kind === 'open' || caller.accountId === registry.accountId) return;
  const because = `because no resource-based policy allows the ${action} action`;
  refuse({ kind: 'access-denied', callerArn: caller.arn, action, resource: '*', because });
}
