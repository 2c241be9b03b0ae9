import type { Action } from '../../core/access/authorizer.ts';
import type { Call } from '../../core/access/caller.ts';
import type { Core } from '../../core/core.ts';
import { refuse } from '../../core/errors.ts';
import { repositoryArn } from '../../core/values/registry.ts';
import type { Client } from './client.ts';

/** The parts of an exchange that a decision depends on. */
export interface Asking {
  readonly context: { readonly core: Pick<Core, 'authorizer' | 'repositories'> };
  readonly call: Call;
  readonly client: Client;
}

/** Who gives no credentials can do this at most, whatever a policy says that was written with callers in mind. */
const PULL_ACTIONS: ReadonlySet<Action> = new Set<Action>([
  'ecr:BatchGetImage',
  'ecr:BatchCheckLayerAvailability',
  'ecr:GetDownloadUrlForLayer',
]);

/**
 * Asks for a permission on a repository; an empty name asks for all of them. Refuses with access-denied.
 *
 * @returns what decided, for the audit trail
 */
export async function authorize(
  { context, call, client }: Asking,
  action: Action,
  repositoryName: string,
): Promise<string> {
  const { caller, registry } = call;
  const resource = repositoryArn(registry, repositoryName || '*');
  if (caller.kind === 'anonymous' && !PULL_ACTIONS.has(action)) {
    const because = 'because callers without credentials can only pull';
    refuse({ kind: 'access-denied', callerArn: caller.arn, action, resource, because });
  }
  return context.core.authorizer.authorize(caller, { action, resource }, client);
}

/** Whether this push makes its repository. Refuses with access-denied when there is one to make and the caller may not. */
export async function mayCreate(asking: Asking, repositoryName: string): Promise<boolean> {
  const { context, call } = asking;
  if (!(await context.core.repositories.isMadeByPush(call, repositoryName))) return false;
  await authorize(asking, 'ecr:CreateRepository', repositoryName);
  return true;
}
