import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Caller } from '../access/caller.ts';
import type { AuditEntry } from './audit-trail.ts';
import { toCloudTrailRecord } from './cloudtrail-record.ts';

const alice: Caller = {
  kind: 'user',
  accountId: '111122223333',
  arn: 'arn:aws:iam::111122223333:user/alice',
  userId: 'AIDAIOSFODNN7EXAMPLE',
  userName: 'alice',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
};

const arn = 'arn:aws:ecr:eu-west-1:444455556666:repository/team/app';

const entry: AuditEntry = {
  at: new Date('2026-11-22T05:37:13.250Z'),
  requestId: 'request-1',
  eventName: 'PutImage',
  eventSource: 'ecr.amazonaws.com',
  caller: alice,
  registry: { accountId: '444455556666', region: 'eu-west-1' },
  sourceIp: '192.0.2.1',
  userAgent: 'aws-cli/2',
  resources: [arn],
  requestParameters: { repositoryName: 'team/app', imageTag: 'v1' },
  decision: "allowed-by-identity: identity policy 'x', statement 1",
};

const recordOf = (changes: Partial<AuditEntry> = {}) => toCloudTrailRecord({ ...entry, ...changes }, 'event-1');
const identityOf = (caller: Caller | undefined) => recordOf({ caller }).userIdentity;

describe('a record of the audit trail', () => {
  it('has the members that CloudTrail gives it', () => {
    assert.deepEqual(recordOf(), {
      eventVersion: '1.11',
      userIdentity: {
        type: 'IAMUser',
        principalId: 'AIDAIOSFODNN7EXAMPLE',
        arn: 'arn:aws:iam::111122223333:user/alice',
        accountId: '111122223333',
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        userName: 'alice',
      },
      eventTime: '2026-11-22T05:37:13Z',
      eventSource: 'ecr.amazonaws.com',
      eventName: 'PutImage',
      awsRegion: 'eu-west-1',
      sourceIPAddress: '192.0.2.1',
      userAgent: 'aws-cli/2',
      requestParameters: { repositoryName: 'team/app', imageTag: 'v1' },
      responseElements: null,
      additionalEventData: { decision: "allowed-by-identity: identity policy 'x', statement 1" },
      requestID: 'request-1',
      eventID: 'event-1',
      readOnly: false,
      resources: [{ accountId: '444455556666', type: 'AWS::ECR::Repository', ARN: arn }],
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: '444455556666',
      eventCategory: 'Management',
    });
  });

  it('tells a refusal and leaves out what is not known', () => {
    const error = {
      code: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
    };
    const nothing = { caller: undefined, registry: undefined, sourceIp: undefined, userAgent: undefined };
    const record = recordOf({ ...nothing, decision: undefined, resources: ['*'], error });
    assert.equal(record.errorCode, error.code);
    assert.equal(record.errorMessage, error.message);
    assert.deepEqual(record.userIdentity, { type: 'Unknown' });
    const absent = [
      'awsRegion',
      'sourceIPAddress',
      'userAgent',
      'resources',
      'recipientAccountId',
      'additionalEventData',
    ];
    for (const member of absent) assert.ok(!(member in record), member);
  });

  it('says who root, a session, an anonymous client and an unchecked caller are', () => {
    const { accountId } = alice;
    const root: Caller = { kind: 'root', accountId, arn: `arn:aws:iam::${accountId}:root`, userId: accountId };
    assert.deepEqual(identityOf(root), { type: 'Root', principalId: accountId, arn: root.arn, accountId });
    const session: Caller = {
      kind: 'assumed-role',
      accountId,
      arn: `arn:aws:sts::${accountId}:assumed-role/ci/run-7`,
      userId: 'AROAIOSFODNN7EXAMPLE:run-7',
      roleArn: `arn:aws:iam::${accountId}:role/ci`,
      accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
    };
    assert.deepEqual(identityOf(session), {
      type: 'AssumedRole',
      principalId: session.userId,
      arn: session.arn,
      accountId,
      accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
      sessionContext: {
        sessionIssuer: {
          type: 'Role',
          principalId: 'AROAIOSFODNN7EXAMPLE',
          arn: session.roleArn,
          accountId,
          userName: 'ci',
        },
      },
    });
    const anonymous: Caller = { kind: 'anonymous', accountId: '', arn: '', userId: '' };
    const nobody = { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' };
    assert.deepEqual(identityOf(anonymous), nobody);
    assert.equal(identityOf({ ...root, kind: 'open' }).type, 'Unknown');
  });

  it('names the robot token that was used', () => {
    const { additionalEventData } = recordOf({ caller: { ...alice, robotTokenId: 'abc' }, decision: 'open' });
    assert.deepEqual(additionalEventData, { decision: 'open', robotTokenId: 'abc' });
  });

  it('tells reading from changing', () => {
    const reading = ['GetAuthorizationToken', 'ListImages', 'DescribeImages', 'BatchGetImage', 'AssumeRole'];
    for (const eventName of [...reading, 'BatchCheckLayerAvailability']) {
      assert.equal(recordOf({ eventName }).readOnly, true, eventName);
    }
    for (const eventName of ['PutImage', 'InitiateLayerUpload', 'BatchDeleteImage', 'SetRepositoryPolicy']) {
      assert.equal(recordOf({ eventName }).readOnly, false, eventName);
    }
  });

  it('hides what a name calls a secret, drops bytes and bounds texts', () => {
    const { requestParameters } = recordOf({
      requestParameters: {
        nested: [{ secretAccessKey: 'hush', sessionToken: 'hush', kept: 1 }],
        'X-Amz-Signature': 'hush',
        layerPartBlob: 'hush',
        bytes: Buffer.from('hush'),
        at: new Date(0),
        text: 'x'.repeat(5000),
        missing: undefined,
      },
      userAgent: 'x'.repeat(5000),
    });
    const text = JSON.stringify(requestParameters);
    assert.doesNotMatch(text, /hush/);
    assert.match(text, /"kept":1/);
    assert.match(text, /"bytes":"\(4 bytes\)","at":"1970-01-01T00:00:00.000Z"/);
    assert.ok(text.length < 4600, `${text.length}`);
    assert.ok((recordOf({ userAgent: 'x'.repeat(5000) }).userAgent ?? '').length <= 512);
  });
});
