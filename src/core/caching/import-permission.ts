import type { Action, Authorizer } from '../access/authorizer.ts';
import type { Call } from '../access/caller.ts';
import { LINK_HOLDER } from '../access/download-links.ts';
import { RefusedError } from '../errors.ts';
import { repositoryArn } from '../values/registry.ts';

/**
 * Whether a caller may have an image imported, and the repository made where there is none (ECR user guide, "IAM permissions
 * for pull through cache"). What a caller may not have imported is to them as good as not there.
 */
export async function mayImport(
  authorizer: Authorizer,
  { caller, registry, facts }: Call,
  repositoryName: string,
  isThere: boolean,
): Promise<boolean> {
  // Whoever holds a link was let in when it was made.
  if (caller === LINK_HOLDER) return true;
  if (caller.kind === 'anonymous') return false;
  const actions: Action[] = ['ecr:BatchImportUpstreamImage', ...(isThere ? [] : (['ecr:CreateRepository'] as const))];
  const resource = repositoryArn(registry, repositoryName);
  try {
    for (const action of actions) await authorizer.authorize(caller, { action, resource }, facts);
    return true;
  } catch (error) {
    if (error instanceof RefusedError && error.refusal.kind === 'access-denied') return false;
    throw error;
  }
}
