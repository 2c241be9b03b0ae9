import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
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
});
