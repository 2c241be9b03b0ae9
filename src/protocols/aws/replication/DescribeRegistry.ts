import type { OperationRequest, Output } from '../operation.ts';
import { configurationView } from './replication-view.ts';

type Name = 'DescribeRegistry';

/** A registry that was never configured has no rules. */
export async function describeRegistry({ core, call }: OperationRequest<Name>): Promise<Output<Name>> {
  const replicationConfiguration = configurationView(await core.replication.rules(call));
  return { registryId: call.registry.accountId, replicationConfiguration };
}
