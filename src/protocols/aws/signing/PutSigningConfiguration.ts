import type { OperationRequest, Output } from '../operation.ts';
import { signingView } from './signing-view.ts';

type Name = 'PutSigningConfiguration';

/** Replaces the configuration as a whole. */
export async function putSigningConfiguration({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const rules = input.signingConfiguration.rules.map(({ signingProfileArn, repositoryFilters = [] }) => ({
    profileArn: signingProfileArn,
    filters: repositoryFilters.map(({ filter }) => filter),
  }));
  await core.signing.putRules(call, rules);
  return { signingConfiguration: signingView(rules) };
}
