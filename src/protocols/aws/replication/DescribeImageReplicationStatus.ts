import type { OperationRequest, Output } from '../operation.ts';

type Name = 'DescribeImageReplicationStatus';

/** One entry for each destination that the image was, or is being, copied to. */
export async function describeImageReplicationStatus({
  core,
  call,
  input,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, imageId } = input;
  const { digest, statuses } = await core.replication.imageStatuses(call, { repositoryName, imageId });
  return {
    repositoryName,
    imageId: { imageDigest: digest, imageTag: imageId.imageTag },
    replicationStatuses: statuses.map(({ destination, status, failureCode }) => ({
      region: destination.region,
      registryId: destination.accountId,
      status,
      failureCode,
    })),
  };
}
