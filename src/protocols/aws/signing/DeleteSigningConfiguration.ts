import type { OperationRequest, Output } from '../operation.ts';
import { signingView } from './signing-view.ts';

type Name = 'DeleteSigningConfiguration';

/** Answers what there was. */
export async function deleteSigningConfiguration({ core, call }: OperationRequest<Name>): Promise<Output<Name>> {
  return {
    registryId: call.registry.accountId,
    signingConfiguration: signingView(await core.signing.deleteRules(call)),
  };
}
