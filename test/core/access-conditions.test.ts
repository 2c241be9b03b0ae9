import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRobotTokens } from '../../src/core/access/robot-tokens.ts';
import { type AwsUnderTest, awsUnderTest, policy, refused } from './aws-under-test.ts';
import { coreUnderTest } from './core-under-test.ts';

const ACCOUNT = '111122223333';

describe('what decisions depend on besides caller, action and resource', () => {
  let aws: AwsUnderTest;
  before(async () => {
    aws = await awsUnderTest();
  });
  after(() => aws[Symbol.asyncDispose]());

  it('is the region a call is meant for, also where the action takes no resource', async () => {
    const Condition = { StringEquals: { 'aws:RequestedRegion': 'us-east-1' } };
    const credentials = await aws.user('regional', [{ Effect: 'Allow', Action: 'ecr:*', Resource: '*', Condition }]);
    const [here, there] = [aws.ecr(credentials), aws.ecr(credentials, { region: 'eu-west-1' })];
    await refused(here.getRegistryPolicy({}), 'RegistryPolicyNotFoundException');
    await refused(there.getRegistryPolicy({}), 'AccessDeniedException');
    await refused(there.describeRepositories({}), 'AccessDeniedException');
    const root = aws.ecr(await aws.root(), { region: 'eu-west-1' });
    const statement = { Effect: 'Deny', Principal: '*', Action: 'ecr:GetAuthorizationToken', Resource: '*' };
    await root.putRegistryPolicy({ policyText: policy(statement) });
    await refused(root.getAuthorizationToken({}), 'AccessDeniedException');
  });

  it('is the caller’s own ARN when a policy would keep its author out', async () => {
    const credentials = await aws.user('author', [{ Effect: 'Allow', Action: 'ecr:*', Resource: '*' }]);
    const ecr = aws.ecr(credentials);
    const denyUnless = (Condition: object) => policy({ Effect: 'Deny', Principal: '*', Action: 'ecr:*', Condition });
    const set = (policyText: string) => ecr.setRepositoryPolicy({ repositoryName: 'one', policyText });
    const other = { StringNotEquals: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:user/other` } };
    await refused(set(denyUnless(other)), 'InvalidParameterException', /keep you from setting another one/);
    await set(denyUnless({ StringNotEquals: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:user/author` } }));
    // Whether the author will ask from there again is not known.
    await set(denyUnless({ NotIpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }));
    await ecr.deleteRepositoryPolicy({ repositoryName: 'one' });
  });

  it('is every tag that would be set, also those whose keys differ in case alone', async () => {
    const Condition = { StringEquals: { 'aws:RequestTag/team': 'mine' } };
    const statement = {
      Effect: 'Allow',
      Action: ['ecr:TagResource', 'ecr:CreateRepository'],
      Resource: '*',
      Condition,
    };
    const ecr = aws.ecr(await aws.user('tagger', [statement]));
    const root = aws.ecr(await aws.root());
    const resourceArn = `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/one`;
    const [mine, theirs] = [
      { Key: 'team', Value: 'mine' },
      { Key: 'Team', Value: 'theirs' },
    ];
    const lookalikes = /differ in case alone/;
    await refused(ecr.tagResource({ resourceArn, tags: [theirs] }), 'AccessDeniedException');
    await refused(ecr.tagResource({ resourceArn, tags: [theirs, mine] }), 'InvalidTagParameterException', lookalikes);
    await refused(
      ecr.createRepository({ repositoryName: 'tagged', tags: [theirs, mine] }),
      'InvalidTagParameterException',
      lookalikes,
    );
    await root.tagResource({ resourceArn, tags: [theirs] });
    await refused(ecr.tagResource({ resourceArn, tags: [mine] }), 'InvalidTagParameterException', lookalikes);
    await root.tagResource({ resourceArn, tags: [{ ...theirs, Value: 'other' }] });
    await root.untagResource({ resourceArn, tagKeys: ['Team'] });
    await ecr.tagResource({ resourceArn, tags: [mine] });
  });

  it('is the time, for who assumes a role', async () => {
    const { identities, directory, roleAssumption, credentials } = aws.access;
    const Principal = { AWS: `arn:aws:iam::${ACCOUNT}:user/early` };
    const Condition = { DateGreaterThan: { 'aws:CurrentTime': '2026-03-01T00:10:00Z' } };
    const trust = policy(
      { Effect: 'Allow', Principal, Action: 'sts:AssumeRole' },
      { Effect: 'Deny', Principal: '*', Action: 'sts:AssumeRole', Condition },
    );
    await identities.createRole(ACCOUNT, 'early', trust, 3600);
    const { accessKeyId } = await aws.user('early', []);
    await directory.refresh();
    const { caller } = await credentials.find(accessKeyId, undefined);
    const input = { roleArn: `arn:aws:iam::${ACCOUNT}:role/early`, sessionName: 'early' };
    await roleAssumption.assume(caller, input, {});
    aws.pass(601);
    await assert.rejects(roleAssumption.assume(caller, input, {}), /not authorized/);
  });
});

describe('a decision that was taken before', () => {
  it('is no decision about the same in another account', async () => {
    await using aws = await awsUnderTest();
    const { accessKeyId } = await aws.user('lord', [{ Effect: 'Allow', Action: '*', Resource: '*' }]);
    const { caller } = await aws.access.credentials.find(accessKeyId, undefined);
    const inAccount = (accountId: string) => {
      const registry = { accountId, region: 'us-east-1' };
      return aws.access.authorizer.authorize(caller, { action: 'ecr:GetRegistryPolicy', resource: '*', registry });
    };
    await inAccount(ACCOUNT);
    await assert.rejects(inAccount('444455556666'), /not authorized/);
    await inAccount(ACCOUNT);
  });
});

describe('a role that may not be assumed', () => {
  it('may not under another spelling of its ARN either', async () => {
    await using aws = await awsUnderTest();
    const { identities, directory, roleAssumption, credentials } = aws.access;
    const trust = policy({ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' });
    await identities.createRole(ACCOUNT, 'admin', trust, 3600);
    const { accessKeyId } = await aws.user('nearly', [
      { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' },
      { Effect: 'Deny', Action: 'sts:AssumeRole', Resource: `arn:aws:iam::${ACCOUNT}:role/admin` },
    ]);
    await directory.refresh();
    const { caller } = await credentials.find(accessKeyId, undefined);
    for (const partition of ['aws', 'aws-cn', 'aws-us-gov']) {
      const roleArn = `arn:${partition}:iam::${ACCOUNT}:role/admin`;
      await assert.rejects(
        roleAssumption.assume(caller, { roleArn, sessionName: 'sly' }, {}),
        /not authorized/,
        partition,
      );
    }
  });
});

describe('a robot token', () => {
  const robot = { actions: ['pull'], repositories: ['*'], expiresSeconds: 100 } as const;

  it('works where its use cannot be noted, such as on a full disk', async () => {
    await using aws = await awsUnderTest();
    await aws.user('puller', []);
    await using core = await coreUnderTest();
    const principalArn = `arn:aws:iam::${ACCOUNT}:user/puller`;
    const { password } = await aws.access.robotTokens.create({ ...robot, principalArn });
    const metadata = { ...aws.metadata, transaction: () => Promise.reject(new Error('disk full')) };
    const tokens = createRobotTokens({ ...core.dependencies, metadata }, aws.access.directory);
    assert.equal((await tokens.read(password))?.arn, principalArn);
  });

  it('is not made with patterns that could never be a policy', async () => {
    await using aws = await awsUnderTest();
    await aws.user('puller', []);
    const principalArn = `arn:aws:iam::${ACCOUNT}:user/puller`;
    const many = Array.from({ length: 100 }, (_, number) => `${'long/'.repeat(20)}${number}`);
    for (const repositories of [many, ['team/${broken']]) {
      await assert.rejects(aws.access.robotTokens.create({ ...robot, principalArn, repositories }), {
        name: 'PolicyError',
      });
    }
  });

  it('ends with its user, whatever partition its ARN names', async () => {
    await using aws = await awsUnderTest();
    const { identities, robotTokens, directory } = aws.access;
    await aws.user('leaver', []);
    const { password } = await robotTokens.create({ ...robot, principalArn: `arn:aws-cn:iam::${ACCOUNT}:user/leaver` });
    assert.ok(await robotTokens.read(password));
    await identities.deleteUser(ACCOUNT, 'leaver');
    await aws.user('leaver', []);
    await directory.refresh();
    assert.equal(await robotTokens.read(password), undefined);
  });
});
