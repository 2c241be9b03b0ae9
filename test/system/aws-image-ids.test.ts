import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ECR, waitUntilLifecyclePolicyPreviewComplete } from '@aws-sdk/client-ecr';
import { digestOf, pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, refused } from './aws-client.ts';

const registryId = '000000000000';
const unknownDigest = digestOf('nobody pushed this');

describe('a tag and a digest in one id', () => {
  let server: RunningServer;
  let ecr: ECR;
  before(async () => {
    server = await startServer();
    ecr = ecrClient(server.url);
  });
  after(() => server[Symbol.asyncDispose]());

  /** Images under the tags a, b … of a new repository. */
  const pushed = async (repositoryName: string, ...tags: string[]) => {
    const images = tags.map(() => randomImage([10]));
    for (const [at, image] of images.entries()) await pushImage(server.url, repositoryName, tags[at]!, image);
    return images.map(({ manifest }) => manifest);
  };
  const notFound = (imageDigest: string, imageTag: string, repositoryName: string) =>
    `The image with imageId {imageDigest:'${imageDigest}', imageTag:'${imageTag}'} does not exist within the repository with name '${repositoryName}' in the registry with id '${registryId}'`;

  it('are one image to BatchGetImage when they agree', async () => {
    const repositoryName = 'ids/get';
    const [one, other] = await pushed(repositoryName, 'a', 'b');
    const imageDigest = one!.digest;
    const imageIds = [
      { imageDigest, imageTag: 'a' },
      { imageDigest, imageTag: 'b' },
      { imageDigest, imageTag: 'nobody' },
      { imageDigest: unknownDigest, imageTag: 'b' },
    ];
    const { images, failures } = await ecr.batchGetImage({ repositoryName, imageIds });
    assert.deepEqual(
      images?.map(({ imageId, imageManifest }) => [imageId, imageManifest]),
      [[{ imageDigest, imageTag: 'a' }, one!.bytes.toString()]],
    );
    assert.deepEqual(
      failures?.map(({ imageId, failureCode, failureReason }) => [imageId, failureCode, failureReason]),
      [
        [
          imageIds[1],
          'ImageTagDoesNotMatchDigest',
          `Requested image tag 'b' does not point to digest '${imageDigest}'`,
        ],
        [imageIds[2], 'ImageNotFound', 'Requested image not found'],
        [
          imageIds[3],
          'ImageTagDoesNotMatchDigest',
          `Requested image tag 'b' does not point to digest '${unknownDigest}'`,
        ],
      ],
    );
    assert.notEqual(other!.digest, imageDigest);
  });

  it('are one image to DescribeImages when they agree, and none else', async () => {
    const repositoryName = 'ids/describe';
    const [one] = await pushed(repositoryName, 'a', 'b');
    const imageDigest = one!.digest;
    const describeIds = (...imageIds: object[]) => ecr.describeImages({ repositoryName, imageIds });
    const { imageDetails } = await describeIds({ imageDigest, imageTag: 'a' }, { imageDigest }, { imageTag: 'a' });
    assert.deepEqual(
      imageDetails?.map((detail) => detail.imageDigest),
      [imageDigest],
    );
    for (const imageTag of ['b', 'nobody']) {
      const missing = describeIds({ imageDigest, imageTag });
      await refused(missing, 'ImageNotFoundException', notFound(imageDigest, imageTag, repositoryName));
    }
  });

  it('are the tag alone to BatchDeleteImage, and the image with its last', async () => {
    const repositoryName = 'ids/delete';
    const [one] = await pushed(repositoryName, 'a', 'b');
    const { digest: imageDigest, bytes } = one!;
    await ecr.putImage({ repositoryName, imageManifest: bytes.toString(), imageTag: 'c' });
    const remove = async (imageTag: string) => {
      const { imageIds, failures } = await ecr.batchDeleteImage({
        repositoryName,
        imageIds: [{ imageDigest, imageTag }],
      });
      return [imageIds, failures?.map(({ failureCode }) => failureCode)];
    };
    assert.deepEqual(await remove('b'), [[], ['ImageTagDoesNotMatchDigest']]);
    assert.deepEqual(await remove('nobody'), [[], ['ImageNotFound']]);
    assert.deepEqual(await remove('a'), [[{ imageDigest, imageTag: 'a' }], []]);
    assert.equal((await ecr.describeImages({ repositoryName })).imageDetails?.length, 2);
    assert.deepEqual(await remove('c'), [[{ imageDigest, imageTag: 'c' }], []]);
    assert.equal((await ecr.describeImages({ repositoryName })).imageDetails?.length, 1);
  });

  it('must agree for UpdateImageStorageClass', async () => {
    const repositoryName = 'ids/archive';
    const [one] = await pushed(repositoryName, 'a', 'b');
    const imageDigest = one!.digest;
    const archive = (imageTag: string) =>
      ecr.updateImageStorageClass({
        repositoryName,
        imageId: { imageDigest, imageTag },
        targetStorageClass: 'ARCHIVE',
      });
    await refused(archive('b'), 'ImageNotFoundException', notFound(imageDigest, 'b', repositoryName));
    const { imageId, imageStatus } = await archive('a');
    assert.deepEqual([imageId, imageStatus], [{ imageDigest, imageTag: 'a' }, 'ARCHIVED']);
  });

  it('must agree to find an image in a preview', async () => {
    const repositoryName = 'ids/preview';
    const [one] = await pushed(repositoryName, 'a', 'b', 'c');
    const imageDigest = one!.digest;
    const selection = { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 };
    const lifecyclePolicyText = JSON.stringify({ rules: [{ rulePriority: 1, selection, action: { type: 'expire' } }] });
    await ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText });
    const times = { client: ecr, maxWaitTime: 20, minDelay: 1, maxDelay: 1 };
    await waitUntilLifecyclePolicyPreviewComplete(times, { repositoryName });
    const found = async (imageTag: string) => {
      const imageIds = [{ imageDigest, imageTag }];
      const { previewResults } = await ecr.getLifecyclePolicyPreview({ repositoryName, imageIds });
      return previewResults?.map((result) => result.imageDigest);
    };
    assert.deepEqual([await found('a'), await found('b')], [[imageDigest], []]);
  });

  it('are what a push is known by, when the digest is its own', async () => {
    const repositoryName = 'ids/put';
    const [one] = await pushed(repositoryName, 'a');
    const { digest: imageDigest, bytes } = one!;
    const put = (digest: string) =>
      ecr.putImage({ repositoryName, imageManifest: bytes.toString(), imageTag: 'b', imageDigest: digest });
    const message = `The image with digest '${unknownDigest}' in repository '${repositoryName}' and registry ID '${registryId}' does not match the image digest that Amazon ECR has calculated.`;
    await refused(put(unknownDigest), 'ImageDigestDoesNotMatchException', message);
    assert.deepEqual((await put(imageDigest)).image?.imageId, { imageDigest, imageTag: 'b' });
  });
});
