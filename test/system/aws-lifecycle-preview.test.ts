import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type ECR,
  paginateGetLifecyclePolicyPreview,
  waitUntilLifecyclePolicyPreviewComplete,
} from '@aws-sdk/client-ecr';
import { http } from '../support/http.ts';
import { blobOf, descriptor, mediaTypes, pushImage, pushManifest, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, refused } from './aws-client.ts';
import { keepNewest, policyText, untaggedAfter } from './lifecycle-policies.ts';

const invalid = 'InvalidParameterException';

describe('previews of lifecycle policies of the ECR API', () => {
  let server: RunningServer;
  let ecr: ECR;
  let made = 0;

  before(async () => {
    server = await startServer();
    ecr = ecrClient(server.url);
  });
  after(() => server[Symbol.asyncDispose]());

  async function newRepository(): Promise<string> {
    made += 1;
    const repositoryName = `lifecycle/r${made}`;
    await ecr.createRepository({ repositoryName });
    return repositoryName;
  }

  async function push(repositoryName: string, ...references: string[]): Promise<string> {
    const image = randomImage();
    for (const reference of references) await pushImage(server.url, repositoryName, reference, image);
    if (references.length === 0) await pushImage(server.url, repositoryName, image.manifest.digest, image);
    return image.manifest.digest;
  }

  const preview = async (repositoryName: string, lifecyclePolicyText?: string) => {
    await ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText });
    const { reason } = await waitUntilLifecyclePolicyPreviewComplete(
      { client: ecr, maxWaitTime: 20, minDelay: 1, maxDelay: 1 },
      { repositoryName },
    );
    return reason;
  };

  it('say what would be done, and do nothing', async () => {
    const repositoryName = await newRepository();
    const message = `Lifecycle policy preview does not exist for the repository with name '${repositoryName}' in the registry with id '000000000000'`;
    await refused(
      ecr.getLifecyclePolicyPreview({ repositoryName }),
      'LifecyclePolicyPreviewNotFoundException',
      message,
    );
    const oldest = await push(repositoryName, 'prod-1', 'also');
    const untagged = await push(repositoryName);
    const middle = await push(repositoryName, 'prod-2');
    await push(repositoryName, 'prod-3');
    const tidy = {
      ...untaggedAfter(3, 1),
      selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 2 },
    };
    const text = JSON.stringify({ rules: [keepNewest(2, ['prod*'], 1), tidy] }, undefined, 2);

    const started = await ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText: text });
    assert.partialDeepStrictEqual(started, {
      registryId: '000000000000',
      repositoryName,
      lifecyclePolicyText: text,
      status: 'IN_PROGRESS',
    });
    await waitUntilLifecyclePolicyPreviewComplete(
      { client: ecr, maxWaitTime: 20, minDelay: 1, maxDelay: 1 },
      { repositoryName },
    );
    const complete = await ecr.getLifecyclePolicyPreview({ repositoryName });
    assert.equal(complete.status, 'COMPLETE');
    assert.equal(complete.lifecyclePolicyText, text);
    assert.deepEqual(complete.summary, { expiringImageTotalCount: 3 });
    assert.equal(complete.nextToken, undefined);
    const rows = complete.previewResults ?? [];
    assert.deepEqual(
      rows.map(({ imageDigest, imageTags, appliedRulePriority }) => [imageDigest, imageTags, appliedRulePriority]),
      [
        [oldest, ['also', 'prod-1'], 2],
        [middle, ['prod-2'], 2],
        [untagged, undefined, 3],
      ],
    );
    const { imageDetails } = await ecr.describeImages({ repositoryName });
    assert.equal(imageDetails?.length, 4);
    const pushedAt = new Map(imageDetails?.map((image) => [image.imageDigest, image.imagePushedAt]));
    for (const { imageDigest, imagePushedAt, action, storageClass } of rows) {
      assert.deepEqual(imagePushedAt, pushedAt.get(imageDigest));
      assert.deepEqual(action, { type: 'EXPIRE' });
      assert.equal(storageClass, 'STANDARD');
    }
    await refused(ecr.getLifecyclePolicy({ repositoryName }), 'LifecyclePolicyNotFoundException');
  });

  it('are filtered, paged and asked for by image', async () => {
    const repositoryName = await newRepository();
    const digests: string[] = [];
    for (let count = 0; count < 5; count++)
      digests.push(await push(repositoryName, ...(count % 2 ? [] : [`v${count}`])));
    const policy = policyText({
      rulePriority: 1,
      selection: { tagStatus: 'any', storageClass: 'standard', countType: 'imageCountMoreThan', countNumber: 1 },
      action: { type: 'transition', targetStorageClass: 'archive' },
    });
    await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: policy });
    await preview(repositoryName);
    const seen: (string | undefined)[] = [];
    const sizes: number[] = [];
    for await (const page of paginateGetLifecyclePolicyPreview({ client: ecr, pageSize: 3 }, { repositoryName })) {
      assert.deepEqual(page.summary, {
        expiringImageTotalCount: 0,
        transitioningImageTotalCounts: [{ targetStorageClass: 'ARCHIVE', imageTotalCount: 4 }],
      });
      sizes.push(page.previewResults?.length ?? 0);
      for (const { imageDigest, action } of page.previewResults ?? []) {
        seen.push(imageDigest);
        assert.deepEqual(action, { type: 'TRANSITION', targetStorageClass: 'ARCHIVE' });
      }
    }
    assert.deepEqual(seen, digests.slice(0, 4));
    assert.deepEqual(sizes, [3, 1]);

    const found = async (more: Omit<Parameters<ECR['getLifecyclePolicyPreview']>[0], 'repositoryName'>) => {
      const { previewResults } = await ecr.getLifecyclePolicyPreview({ ...more, repositoryName });
      return previewResults?.map(({ imageDigest }) => imageDigest);
    };
    assert.deepEqual(await found({ filter: { tagStatus: 'TAGGED' } }), [digests[0], digests[2]]);
    assert.deepEqual(await found({ filter: { tagStatus: 'UNTAGGED' } }), [digests[1], digests[3]]);
    assert.deepEqual(await found({ filter: { tagStatus: 'ANY' } }), digests.slice(0, 4));
    const imageIds = [
      { imageTag: 'v2' },
      { imageDigest: digests[1] },
      { imageTag: 'none' },
      { imageDigest: digests[4] },
    ];
    assert.deepEqual(await found({ imageIds }), [digests[1], digests[2]]);
    assert.deepEqual(await found({ imageIds, filter: { tagStatus: 'TAGGED' } }), [digests[2]]);

    const { nextToken } = await ecr.getLifecyclePolicyPreview({ repositoryName, maxResults: 1 });
    await refused(ecr.getLifecyclePolicyPreview({ repositoryName, imageIds, maxResults: 1 }), invalid, /'maxResults'/);
    await refused(ecr.getLifecyclePolicyPreview({ repositoryName, imageIds, nextToken }), invalid, /'nextToken'/);
    await refused(ecr.getLifecyclePolicyPreview({ repositoryName, imageIds: [{}] }), invalid, /'imageIds'/);
    const forged = Buffer.from(JSON.stringify(['GetLifecyclePolicyPreview', '-1'])).toString('base64url');
    for (const token of ['garbled', forged])
      await refused(ecr.getLifecyclePolicyPreview({ repositoryName, nextToken: token }), invalid, /'nextToken'/);
  });

  it('are made one at a time, the next in place of the last', async () => {
    const repositoryName = await newRepository();
    await push(repositoryName);
    await push(repositoryName);
    const keepOne = policyText({
      rulePriority: 1,
      selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 1 },
      action: { type: 'expire' },
    });
    // Two that meet: one of them is first.
    const input = { repositoryName, lifecyclePolicyText: keepOne };
    const outcomes = await Promise.allSettled([
      ecr.startLifecyclePolicyPreview(input),
      ecr.startLifecyclePolicyPreview(input),
    ]);
    const [lost] = outcomes.filter(({ status }) => status === 'rejected');
    assert.ok(lost?.status === 'rejected');
    const message = `A lifecycle policy preview is in progress for the repository with name '${repositoryName}' in the registry with id '000000000000'; start the next one when it has ended`;
    await refused(Promise.reject(lost.reason), 'LifecyclePolicyPreviewInProgressException', message);
    await waitUntilLifecyclePolicyPreviewComplete(
      { client: ecr, maxWaitTime: 20, minDelay: 1, maxDelay: 1 },
      { repositoryName },
    );
    assert.equal((await ecr.getLifecyclePolicyPreview({ repositoryName })).previewResults?.length, 1);
    await preview(repositoryName, policyText(untaggedAfter(1, 5)));
    assert.deepEqual((await ecr.getLifecyclePolicyPreview({ repositoryName })).previewResults, []);
  });

  it('list the children of an index', async () => {
    const repositoryName = await newRepository();
    const child = randomImage();
    await pushImage(server.url, repositoryName, child.manifest.digest, child);
    const manifests = [descriptor(child.mediaType, child.manifest)];
    const index = blobOf(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
    assert.equal((await pushManifest(server.url, repositoryName, 'multi', index, mediaTypes.index)).status, 201);
    const none = policyText({
      rulePriority: 1,
      selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 },
      action: { type: 'expire' },
    });
    await preview(repositoryName, none);
    const { previewResults } = await ecr.getLifecyclePolicyPreview({ repositoryName });
    assert.deepEqual(
      previewResults?.map(({ imageDigest }) => imageDigest),
      [child.manifest.digest],
    );
    assert.equal((await http(`${server.url}/v2/${repositoryName}/manifests/multi`)).status, 200);
  });
});
