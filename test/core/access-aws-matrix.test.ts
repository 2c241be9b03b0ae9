import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isOperationName, OPERATIONS } from '../../src/protocols/aws/operations.ts';
import { http } from '../support/http.ts';
import { randomImage } from '../support/images.ts';
import { type AwsUnderTest, awsUnderTest, type Credentials, policy, signedCall } from './aws-under-test.ts';
import { call } from './core-under-test.ts';

const ACCOUNT = '111122223333';
const OTHER_ACCOUNT = '444455556666';
const ARN = `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/one`;
const digest = `sha256:${'0'.repeat(64)}`;
const uploadId = '00000000-0000-0000-0000-00000000000f';
const SCANNER = `arn:aws:iam::${ACCOUNT}:role/scanner`;
const tags = [{ Key: 'a', Value: 'b' }];

/** Inputs that pass the constraints and leave everything as it is, whoever is let in. */
const OF_REPOSITORIES: Record<string, object> = {
  CreateRepository: { tags },
  DescribeRepositories: { repositoryName: undefined, repositoryNames: ['one'] },
  DeleteRepository: {},
  PutImageTagMutability: { imageTagMutability: 'MUTABLE' },
  TagResource: { resourceArn: ARN, tags },
  UntagResource: { resourceArn: ARN, tagKeys: ['none'] },
  ListTagsForResource: { resourceArn: ARN },
  SetRepositoryPolicy: { policyText: 'none' },
  GetRepositoryPolicy: {},
  DeleteRepositoryPolicy: {},
  BatchCheckLayerAvailability: { layerDigests: [digest] },
  InitiateLayerUpload: {},
  UploadLayerPart: { uploadId, partFirstByte: 0, partLastByte: 0, layerPartBlob: 'QQ==' },
  CompleteLayerUpload: { uploadId, layerDigests: [digest] },
  GetDownloadUrlForLayer: { layerDigest: digest },
  PutImage: { imageManifest: '{}' },
  BatchGetImage: { imageIds: [{ imageTag: 'none' }] },
  BatchDeleteImage: { imageIds: [{ imageTag: 'none' }] },
  ListImages: {},
  DescribeImages: {},
  ListImageReferrers: { subjectId: { imageDigest: digest } },
  UpdateImageStorageClass: { imageId: { imageTag: 'none' }, targetStorageClass: 'ARCHIVE' },
  DescribeImageReplicationStatus: { imageId: { imageTag: 'none' } },
  StartImageScan: { imageId: { imageTag: 'none' } },
  DescribeImageScanFindings: { imageId: { imageTag: 'none' } },
  PutImageScanningConfiguration: { imageScanningConfiguration: { scanOnPush: false } },
  DescribeImageSigningStatus: { imageId: { imageTag: 'none' } },
  PutLifecyclePolicy: { lifecyclePolicyText: 'none'.padEnd(100) },
  GetLifecyclePolicy: {},
  DeleteLifecyclePolicy: {},
  StartLifecyclePolicyPreview: { lifecyclePolicyText: 'none'.padEnd(100) },
  GetLifecyclePolicyPreview: {},
};
const OF_REGISTRIES: Record<string, object> = {
  GetAuthorizationToken: {},
  PutRegistryPolicy: { policyText: 'none' },
  GetRegistryPolicy: {},
  DeleteRegistryPolicy: {},
  DescribeRegistry: {},
  PutReplicationConfiguration: { replicationConfiguration: { rules: [] } },
  // Of the caller's own registry alone: it takes no other's id.
  BatchGetRepositoryScanningConfiguration: { repositoryName: undefined, repositoryNames: ['one'] },
  GetRegistryScanningConfiguration: {},
  PutRegistryScanningConfiguration: { scanType: 'BASIC', rules: [] },
  PutSigningConfiguration: { signingConfiguration: { rules: [] } },
  GetSigningConfiguration: {},
  DeleteSigningConfiguration: {},
  StartReplicationBackfill: { destination: { region: 'none', registryId: ACCOUNT } },
  StopReplicationBackfill: { replicationBackfillId: uploadId },
  ListReplicationBackfills: {},
  DescribeReplicationBackfillResults: { replicationBackfillId: uploadId },
  CreatePullThroughCacheRule: { ecrRepositoryPrefix: 'none', upstreamRegistryUrl: 'quay.io' },
  DescribePullThroughCacheRules: {},
  UpdatePullThroughCacheRule: { ecrRepositoryPrefix: 'none' },
  DeletePullThroughCacheRule: { ecrRepositoryPrefix: 'none' },
  ValidatePullThroughCacheRule: { ecrRepositoryPrefix: 'none' },
  CreateRepositoryCreationTemplate: { prefix: 'none', appliedFor: [], repositoryPolicy: 'none' },
  DescribeRepositoryCreationTemplates: {},
  UpdateRepositoryCreationTemplate: { prefix: 'none' },
  DeleteRepositoryCreationTemplate: { prefix: 'none' },
  GetAccountSetting: { name: 'BLOB_MOUNTING' },
  PutAccountSetting: { name: 'BLOB_MOUNTING', value: 'ENABLED' },
  RegisterPullTimeUpdateExclusion: { principalArn: SCANNER },
  DeregisterPullTimeUpdateExclusion: { principalArn: SCANNER },
  ListPullTimeUpdateExclusions: {},
};
const SERVED = { ...OF_REPOSITORIES, ...OF_REGISTRIES };

describe('every operation of the ECR API', () => {
  let aws: AwsUnderTest;
  let root: Credentials;
  before(async () => {
    aws = await awsUnderTest();
    root = await aws.root();
    await putImage(aws, root);
  });
  after(() => aws[Symbol.asyncDispose]());

  const inputOf = (operation: string) => {
    const ofRepository = operation in OF_REPOSITORIES && { registryId: ACCOUNT, repositoryName: 'one' };
    return { ...ofRepository, ...SERVED[operation] };
  };
  /** The exception, or `ok`, which is all but what concerns access. */
  const outcome = async (credentials: Credentials, operation: string, drop: string[] = []): Promise<string> => {
    const { headers, ...sent } = await signedCall(aws, credentials, operation, { input: inputOf(operation) });
    const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !drop.includes(name)));
    const { status, json } = await http(`${aws.url}/`, { ...sent, headers: kept });
    const { __type, message } = json();
    assert.ok(status === 200 || status === 400, `${operation}: ${status} ${message}`);
    const isOfAccess =
      /^(AccessDenied|Unrecognized|Expired|Missing|Incomplete|InvalidSignature|Serialization|Unsupported)/;
    return isOfAccess.test(__type) ? __type : 'ok';
  };
  const actionsOf = (operation: string): string[] => {
    assert.ok(isOperationName(operation));
    const { action } = OPERATIONS[operation];
    return operation === 'CreateRepository' ? [action, 'ecr:TagResource'] : [action];
  };
  const user = (name: string, operation: string, statements: readonly object[], account?: string) =>
    aws.user(`${name}-${operation}`, statements, account);
  /** Past the API, for some of these policies let nobody set another one. */
  const setPolicy = (policyText: string) =>
    aws.access.policies.putRepositoryPolicy(call, { repositoryName: 'one', policyText, force: true });

  it('is in this table, or is not served yet', () => {
    const served = Object.entries(OPERATIONS).filter(([, operation]) => 'run' in operation);
    assert.deepEqual(Object.keys(SERVED).toSorted(), served.map(([name]) => name).toSorted());
  });

  it('takes a good signature before anything else', async () => {
    const session = await sessionOf(aws);
    aws.pass(3601);
    for (const operation of Object.keys(OPERATIONS)) {
      assert.equal(await outcome(root, operation, ['authorization']), 'MissingAuthenticationTokenException', operation);
      const forged = { ...root, secretAccessKey: 'wrong' };
      assert.equal(await outcome(forged, operation), 'InvalidSignatureException', operation);
      assert.equal(await outcome(session, operation), 'ExpiredTokenException', operation);
      assert.equal(
        await outcome(root, operation),
        operation in SERVED ? 'ok' : 'UnsupportedOperationException',
        operation,
      );
    }
  });

  it('is allowed by a policy of the identity, and by nothing else of it', async () => {
    for (const operation of Object.keys(SERVED)) {
      const Action = actionsOf(operation);
      const everything = { Effect: 'Allow', Action: '*', Resource: '*' };
      const none = await user('none', operation, []);
      const allowed = await user('allowed', operation, [{ Effect: 'Allow', Action, Resource: '*' }]);
      const others = await user('others', operation, [{ Effect: 'Allow', NotAction: Action, Resource: '*' }]);
      const denied = await user('denied', operation, [everything, { Effect: 'Deny', Action, Resource: '*' }]);
      const outcomes = [none, allowed, others, denied].map((credentials) => outcome(credentials, operation));
      const no = 'AccessDeniedException';
      assert.deepEqual(await Promise.all(outcomes), [no, 'ok', no, no], operation);
    }
  });

  it('on a repository is allowed by the repository’s policy, and across accounts by both', async () => {
    for (const operation of Object.keys(OF_REPOSITORIES)) {
      const Action = actionsOf(operation);
      const allow = [{ Effect: 'Allow', Action, Resource: '*' }];
      const guest = await user('guest', operation, [], ACCOUNT);
      const foreign = await user('foreign', operation, allow, OTHER_ACCOUNT);
      const powerless = await user('powerless', operation, [], OTHER_ACCOUNT);
      const outcomes = async (...statements: object[]) => {
        const found: string[] = [];
        for (const credentials of [guest, foreign, powerless]) {
          await setPolicy(policy(...statements));
          found.push(await outcome(credentials, operation));
        }
        return found;
      };
      const no = 'AccessDeniedException';
      const Principal = { AWS: [`arn:aws:iam::${ACCOUNT}:user/guest-${operation}`, OTHER_ACCOUNT] };
      const allowing = { Effect: 'Allow', Principal, Action };
      assert.deepEqual(await outcomes({ Effect: 'Allow', Principal, NotAction: Action }), [no, no, no], operation);
      assert.deepEqual(await outcomes(allowing), ['ok', 'ok', no], operation);
      const denying = { Effect: 'Deny', Principal: '*', Action };
      assert.deepEqual(await outcomes(allowing, denying), [no, no, no], operation);
    }
  });
});

/** A repository that holds an image cannot be deleted by accident. */
async function putImage(aws: AwsUnderTest, root: Credentials): Promise<void> {
  const { config, layers, manifest } = randomImage([10]);
  const ecr = aws.ecr(root);
  const repositoryName = 'one';
  for (const { bytes, digest: layerDigest } of [config, ...layers]) {
    const upload = await ecr.initiateLayerUpload({ repositoryName });
    const part = { repositoryName, uploadId: upload.uploadId, partFirstByte: 0, partLastByte: bytes.length - 1 };
    await ecr.uploadLayerPart({ ...part, layerPartBlob: bytes });
    await ecr.completeLayerUpload({ repositoryName, uploadId: upload.uploadId, layerDigests: [layerDigest] });
  }
  await ecr.putImage({ repositoryName, imageManifest: manifest.bytes.toString() });
}

async function sessionOf(aws: AwsUnderTest): Promise<Credentials> {
  const { identities, credentials, roleAssumption } = aws.access;
  const trust = policy({ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' });
  const { arn } = await identities.createRole(ACCOUNT, 'short', trust, 3600);
  const { accessKeyId } = await aws.user('assumer', [{ Effect: 'Allow', Action: 'sts:*', Resource: '*' }]);
  const { caller } = await credentials.find(accessKeyId, undefined);
  return roleAssumption.assume(caller, { roleArn: arn, sessionName: 'short' }, {});
}
