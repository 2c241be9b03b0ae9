import assert from 'node:assert/strict';
import { awsCall } from '../support/aws-call.ts';
import { http } from '../support/http.ts';
import type { RunningServer } from '../support/server.ts';

const repositoryName = 'team/app';
const token = Buffer.from(JSON.stringify(['DescribeRepositories', 'a\0'])).toString('base64url');

/** The character U+0000 wherever a text has no pattern, which PostgreSQL keeps in no text. */
const OPERATIONS: readonly (readonly [operation: string, input: object])[] = [
  ['CreateRepository', { repositoryName: 'a\0' }],
  ['TagResource', { resourceArn: 'arn:aws:ecr:us-east-1:000000000000:repository/team/app\0', tags: [] }],
  ['CreateRepository', { repositoryName: 'tagged', tags: [{ Key: 'a\0', Value: 'b' }] }],
  ['CreateRepository', { repositoryName: 'tagged', tags: [{ Key: 'a', Value: '\0' }] }],
  ['BatchGetImage', { repositoryName, imageIds: [{ imageTag: 'v\0' }] }],
  ['BatchGetImage', { repositoryName, imageIds: [{ imageTag: 'v1' }], acceptedMediaTypes: ['a\0'] }],
  ['BatchDeleteImage', { repositoryName, imageIds: [{ imageDigest: 'sha256:\0' }] }],
  ['DescribeImages', { repositoryName, imageIds: [{ imageTag: '\0' }] }],
  ['PutImage', { repositoryName, imageManifest: '{}\0', imageTag: 'v1' }],
  ['PutImage', { repositoryName, imageManifest: '{}', imageTag: '\0' }],
  ['SetRepositoryPolicy', { repositoryName, policyText: '{}\0' }],
  ['PutLifecyclePolicy', { repositoryName, lifecyclePolicyText: '{}\0' }],
  ['PutRegistryPolicy', { policyText: '\0' }],
  ['UploadLayerPart', { repositoryName, uploadId: '\0', partFirstByte: 0, partLastByte: 0, layerPartBlob: 'AA==' }],
  ['GetDownloadUrlForLayer', { repositoryName, layerDigest: '\0' }],
  ['DescribeRepositories', { nextToken: token }],
];

const PATHS: readonly string[] = [
  `/v2/${repositoryName}/manifests/%00`,
  `/v2/${repositoryName}/manifests/v%001`,
  `/v2/${repositoryName}/blobs/%00`,
  `/v2/${repositoryName}/blobs/uploads/a%00`,
  `/v2/${repositoryName}/tags/list?last=%00`,
  `/v2/_catalog?last=a%00`,
  `/v2/${repositoryName}/referrers/sha256:${'0'.repeat(64)}?artifactType=a%00`,
];

/** Refused as any other text that cannot be, whatever the facts are kept in; and no fault of the server's. */
export async function refusesNul(server: RunningServer): Promise<void> {
  assert.equal((await awsCall(server.url, 'CreateRepository', { repositoryName })).status, 200);
  for (const [operation, input] of OPERATIONS) {
    const { status } = await awsCall(server.url, operation, input);
    assert.equal(status, 400, `${operation} ${JSON.stringify(input)}`);
  }
  for (const path of PATHS) {
    const { status } = await http(`${server.url}${path}`);
    assert.ok(status === 400 || status === 404, `${path} was answered ${status}`);
  }
  assert.doesNotMatch(server.output(), /request failed/);
}
