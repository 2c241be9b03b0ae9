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

describe('lifecycle policies of the ECR API', () => {
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

  it('are kept without blanks and by priority, given back, replaced and deleted', async () => {
    const repositoryName = await newRepository();
    const base = { registryId: '000000000000', repositoryName };
    const rules = [untaggedAfter(2, 14), keepNewest(1, ['prod*'], 5)];
    const compact = JSON.stringify({ rules: rules.toReversed() });
    const lifecyclePolicyText = JSON.stringify({ rules }, undefined, 4);
    assert.partialDeepStrictEqual(await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText }), {
      ...base,
      lifecyclePolicyText: compact,
    });
    const stored = { ...base, lifecyclePolicyText: compact, lastEvaluatedAt: new Date(0) };
    assert.partialDeepStrictEqual(await ecr.getLifecyclePolicy({ repositoryName }), stored);
    const other = policyText(untaggedAfter(7, 1));
    await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: other });
    assert.equal((await ecr.getLifecyclePolicy({ repositoryName })).lifecyclePolicyText, other);
    assert.partialDeepStrictEqual(await ecr.deleteLifecyclePolicy({ repositoryName }), {
      ...stored,
      lifecyclePolicyText: other,
    });
    const message = `Lifecycle policy does not exist for the repository with name '${repositoryName}' in the registry with id '000000000000'`;
    await refused(ecr.getLifecyclePolicy({ repositoryName }), 'LifecyclePolicyNotFoundException', message);
    await refused(ecr.deleteLifecyclePolicy({ repositoryName }), 'LifecyclePolicyNotFoundException', message);
    await refused(ecr.startLifecyclePolicyPreview({ repositoryName }), 'LifecyclePolicyNotFoundException', message);
  });

  it('need a repository', async () => {
    const input = { repositoryName: 'nobody/made', lifecyclePolicyText: policyText(untaggedAfter(1, 1)) };
    const message = "The repository with name 'nobody/made' does not exist in the registry with id '000000000000'";
    for (const call of [
      () => ecr.putLifecyclePolicy(input),
      () => ecr.getLifecyclePolicy(input),
      () => ecr.deleteLifecyclePolicy(input),
      () => ecr.startLifecyclePolicyPreview(input),
      () => ecr.getLifecyclePolicyPreview({ repositoryName: 'nobody/made' }),
    ])
      await refused(call(), 'RepositoryNotFoundException', message);
  });

  it('are refused in the words of ECR when they are none', async () => {
    const repositoryName = await newRepository();
    const prefix =
      "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: ";
    const untagged = untaggedAfter(1, 1);
    const any = { ...untagged, selection: { ...untagged.selection, tagStatus: 'any' } };
    const select = (changes: object) => ({ ...untagged, selection: { ...untagged.selection, ...changes } });
    const told: readonly (readonly [unknown, string])[] = [
      ['x'.repeat(100), 'Could not map policyString into LifecyclePolicy.'],
      [{ description: 'x'.repeat(100) }, 'object has missing required properties (["rules"])\n'],
      [
        { rules: [untagged], comment: 'none' },
        'object instance has properties which are not allowed by the schema: ["comment"]\n',
      ],
      [
        { rules: ['x'.repeat(100)] },
        'instance type (string) does not match any allowed primitive type (allowed: ["object"])\n',
      ],
      [
        { rules: [select({ countNumber: 0 })] },
        'numeric instance is lower than the required minimum (minimum: 1, found: 0)\n',
      ],
      [
        { rules: [select({ countType: 'sinceImageTransitioned' })] },
        'instance failed to match exactly one schema (matched 0 out of 4)\n',
      ],
      [
        { rules: [{ ...untagged, action: { type: 'expire', targetStorageClass: null } }] },
        'instance failed to match exactly one schema (matched 0 out of 2)\n',
      ],
      [{ rules: [untagged, untaggedAfter(2, 5)] }, 'Only one rule can select Untagged images per storage class.'],
      [{ rules: [any, untaggedAfter(2, 5)] }, 'Rule for tagStatus=ANY must have the lowest priority per storage class'],
      [
        { rules: [select({ tagStatus: 'tagged' })] },
        'Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.',
      ],
      [
        { rules: [select({ countType: 'sinceImagePulled' })] },
        'Rule for countType=sinceImagePulled must have the action type=TRANSITION.',
      ],
    ];
    for (const [document, detail] of told) {
      const lifecyclePolicyText = typeof document === 'string' ? document : JSON.stringify(document).padEnd(100);
      for (const call of [
        () => ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText }),
        () => ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText }),
      ]) {
        const { message } = await refused(call(), invalid);
        assert.ok(String(message).startsWith(prefix + detail), String(message));
      }
    }
    await refused(ecr.getLifecyclePolicy({ repositoryName }), 'LifecyclePolicyNotFoundException');
  });

  it('have texts of 100 to 30,720 characters, and previews pages of 100', async () => {
    const repositoryName = await newRepository();
    const broken = (member: string, constraint: string) =>
      `Invalid parameter at '${member}' failed to satisfy constraint: 'Member must have ${constraint}'`;
    for (const [text, constraint] of [
      ['{}', 'length greater than or equal to 100'],
      ['x'.repeat(30_721), 'length less than or equal to 30720'],
    ] as const) {
      const input = { repositoryName, lifecyclePolicyText: text };
      const message = broken('lifecyclePolicyText', constraint);
      await refused(ecr.putLifecyclePolicy(input), invalid, message);
      await refused(ecr.startLifecyclePolicyPreview(input), invalid, message);
    }
    for (const [maxResults, constraint] of [
      [0, 'value greater than or equal to 1'],
      [101, 'value less than or equal to 100'],
    ] as const) {
      const call = ecr.getLifecyclePolicyPreview({ repositoryName, maxResults });
      await refused(call, invalid, broken('maxResults', constraint));
    }
  });

  it('are previewed without anything being done', async () => {
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

  it('have previews that are filtered, paged and asked for by image', async () => {
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

  it('have one preview at a time, and the next in place of the last', async () => {
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

  it('select the children of an index', async () => {
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
