import type { OperationRequest, Output } from '../operation.ts';
import { signingView } from './signing-view.ts';

type Name = 'GetSigningConfiguration';

export async function getSigningConfiguration({ core, call }: OperationRequest<Name>): Promise<Output<Name>> {
  return {
    registryId: call.registry.accountId,
    signingConfiguration: signingView(await core.signing.rules(call)),
  };
}
