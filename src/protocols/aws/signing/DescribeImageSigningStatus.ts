import type { OperationRequest, Output } from '../operation.ts';

type Name = 'DescribeImageSigningStatus';

/** One entry for each signing profile that a rule named when the image was pushed. */
export async function describeImageSigningStatus({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, imageId } = input;
  const { digest, statuses } = await core.signing.imageStatuses(call, { repositoryName, imageId });
  return {
    repositoryName,
    imageId: { imageDigest: digest, imageTag: imageId.imageTag },
    registryId: call.registry.accountId,
    signingStatuses: statuses.map(({ profileArn, status, failureCode, failureReason }) => ({
      signingProfileArn: profileArn,
      status,
      failureCode,
      failureReason,
    })),
  };
}
