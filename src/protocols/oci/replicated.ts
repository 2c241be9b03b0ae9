import { isAccountId, isRegion, type Registry } from '../../core/values/registry.ts';
import { authorize } from './authorize.ts';
import { OciError } from './errors.ts';
import type { OciExchange } from './exchange.ts';

/**
 * Our own header, in pushes from another Gantry that copies images here: the registry that they come from. What comes with it is
 * copied on to no third place, and told of as replication.
 */
const HEADER = 'gantry-replicated-from';

/**
 * The registry that a push copies from; undefined for any other push. Its repository is there afterwards. Refuses with
 * access-denied when the caller may not replicate, or there is a repository to make and it may not.
 */
export async function admitReplication(exchange: OciExchange): Promise<Registry | undefined> {
  const { request, context, call, repositoryName } = exchange;
  const text = request.headers[HEADER];
  if (text === undefined) return undefined;
  const [accountId = '', region = ''] = String(text).split('/');
  if (!isAccountId(accountId) || !isRegion(region)) {
    throw new OciError(
      400,
      'UNSUPPORTED',
      'Gantry-Replicated-From must be an account and a region, such as 000000000000/us-east-1',
    );
  }
  await authorize(exchange, 'ecr:ReplicateImage', repositoryName);
  const admit = () => authorize(exchange, 'ecr:CreateRepository', repositoryName);
  await context.core.repositories.ensureReplica(call, repositoryName, admit);
  return { accountId, region };
}
