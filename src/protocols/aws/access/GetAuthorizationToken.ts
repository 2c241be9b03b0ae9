import type { OperationRequest, Output } from '../operation.ts';

type Name = 'GetAuthorizationToken';

/** One token for each registry asked, in that order; for the caller's own when none is named. */
export async function getAuthorizationToken({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const accountIds = input.registryIds ?? [call.registry.accountId];
  const issued = accountIds.map(async (accountId) => {
    const registry = { accountId, region: call.registry.region };
    const { password, expiresAt } = await core.registryTokens.issue(call.caller, registry);
    return {
      authorizationToken: Buffer.from(`AWS:${password}`).toString('base64'),
      expiresAt,
      proxyEndpoint: core.addresses.proxyEndpoint(registry),
    };
  });
  return { authorizationData: await Promise.all(issued) };
}
