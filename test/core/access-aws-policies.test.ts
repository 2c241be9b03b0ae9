import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
import { http } from '../support/http.ts';
import { type AwsUnderTest, awsUnderTest, type Credentials, policy, refused, signedCall } from './aws-under-test.ts';

const ACCOUNT = '111122223333';
const OTHER_ACCOUNT = '444455556666';
const ONE = `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/one`;

describe('what policies let a caller do on the ECR API', () => {
  let aws: AwsUnderTest;
  before(async () => {
    aws = await awsUnderTest();
  });
  after(() => aws[Symbol.asyncDispose]());

  const denial = (user: string, action: string, resource: string, account = ACCOUNT, kind = 'identity') =>
    `User: arn:aws:iam::${account}:user/${user} is not authorized to perform: ${action} on resource: ${resource} because no ${kind}-based policy allows the ${action} action`;

  it('is nothing without a policy, and every denial names caller, action and resource', async () => {
    const ecr = aws.ecr(await aws.user('nobody', []));
    const repositoryName = 'one';
    const manifest = { imageManifest: '{}', imageTag: 'a' };
    const calls: [action: string, resource: string, call: Promise<unknown>][] = [
      ['ecr:GetAuthorizationToken', '*', ecr.getAuthorizationToken({})],
      ['ecr:DescribeRepositories', ONE, ecr.describeRepositories({ repositoryNames: ['one'] })],
      ['ecr:DescribeRepositories', ONE.replace('/one', '/*'), ecr.describeRepositories({})],
      ['ecr:PutImage', ONE, ecr.putImage({ repositoryName, ...manifest })],
      ['ecr:ListTagsForResource', ONE, ecr.listTagsForResource({ resourceArn: ONE })],
      ['ecr:DeleteRepository', ONE, ecr.deleteRepository({ repositoryName, force: true })],
      ['ecr:SetRepositoryPolicy', ONE, ecr.setRepositoryPolicy({ repositoryName, policyText: '{}' })],
      ['ecr:GetRegistryPolicy', '*', ecr.getRegistryPolicy({})],
      [
        'ecr:BatchGetImage',
        ONE,
        ecr.listImageReferrers({ repositoryName, subjectId: { imageDigest: `sha256:${'0'.repeat(64)}` } }),
      ],
    ];
    for (const [action, resource, call] of calls) {
      await refused(call, 'AccessDeniedException', denial('nobody', action, resource));
      const entry = aws.audited.find(({ error }) => error?.message === denial('nobody', action, resource));
      assert.equal(entry?.error?.code, 'AccessDeniedException');
      assert.equal(entry?.caller?.userName, 'nobody');
    }
    assert.equal(aws.audited.length, calls.length);
    assert.equal(JSON.stringify(aws.audited).includes('imageManifest'), false);
  });

  it('does not reach into another account by the identity’s policy alone', async () => {
    const everything = { Effect: 'Allow', Action: '*', Resource: '*' };
    const ecr = aws.ecr(await aws.user('foreign', [everything], OTHER_ACCOUNT));
    const registryId = ACCOUNT;
    const refusal = (action: string, resource: string) =>
      denial('foreign', action, resource, OTHER_ACCOUNT, 'resource');
    for (const [action, resource, call] of [
      ['ecr:DescribeRepositories', ONE.replace('/one', '/*'), ecr.describeRepositories({ registryId })],
      ['ecr:DescribeRepositories', ONE, ecr.describeRepositories({ registryId, repositoryNames: ['one'] })],
      ['ecr:CreateRepository', ONE, ecr.createRepository({ registryId, repositoryName: 'one' })],
      ['ecr:TagResource', ONE, ecr.tagResource({ resourceArn: ONE, tags: [{ Key: 'a', Value: 'b' }] })],
      ['ecr:GetRepositoryPolicy', ONE, ecr.getRepositoryPolicy({ registryId, repositoryName: 'one' })],
    ] as const) {
      await refused(call, 'AccessDeniedException', refusal(action, resource));
    }
    const { authorizationData } = await ecr.getAuthorizationToken({ registryIds: [ACCOUNT, OTHER_ACCOUNT] });
    assert.deepEqual(
      authorizationData?.map(({ proxyEndpoint }) => proxyEndpoint?.replace(/:\d+$/, '')),
      ['http://localhost', `http://${OTHER_ACCOUNT}.dkr.ecr.us-east-1.localhost`],
    );
  });

  it('reaches into another account when both sides allow it', async () => {
    const listing = { Effect: 'Allow', Action: 'ecr:ListImages', Resource: '*' };
    const [guest, stranger] = [
      aws.ecr(await aws.user('guest', [listing], OTHER_ACCOUNT)),
      aws.ecr(await aws.user('stranger', [], OTHER_ACCOUNT)),
    ];
    const owner = aws.ecr(await aws.root());
    const asked = { registryId: ACCOUNT, repositoryName: 'two' };
    await refused(guest.listImages(asked), 'AccessDeniedException', /no resource-based policy allows/);
    const Principal = { AWS: OTHER_ACCOUNT };
    const policyText = policy({ Effect: 'Allow', Principal, Action: 'ecr:ListImages' });
    await owner.setRepositoryPolicy({ repositoryName: 'two', policyText });
    assert.deepEqual((await guest.listImages(asked)).imageIds, []);
    await refused(stranger.listImages(asked), 'AccessDeniedException', /no identity-based policy allows/);
    await owner.deleteRepositoryPolicy({ repositoryName: 'two' });
    await refused(guest.listImages(asked), 'AccessDeniedException', /no resource-based policy allows/);
  });

  it('depends on the tags that a request brings, and making a tagged repository takes leave to tag', async () => {
    const Resource = '*';
    const own = {
      StringEquals: { 'aws:RequestTag/team': 'red' },
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['team', 'old'] },
    };
    const creator = aws.ecr(await aws.user('creator', [{ Effect: 'Allow', Action: 'ecr:CreateRepository', Resource }]));
    const tagger = aws.ecr(
      await aws.user('tagger', [
        { Effect: 'Allow', Action: 'ecr:CreateRepository', Resource },
        { Effect: 'Allow', Action: 'ecr:TagResource', Resource, Condition: own },
        {
          Effect: 'Allow',
          Action: 'ecr:UntagResource',
          Resource,
          Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': 'old' } },
        },
      ]),
    );
    const tags = (Key: string, Value: string) => [{ Key, Value }];
    const red = { repositoryName: 'red', tags: tags('team', 'red') };
    await refused(
      creator.createRepository(red),
      'AccessDeniedException',
      /to perform: ecr:TagResource on resource: .*\/red /,
    );
    await creator.createRepository({ repositoryName: 'plain', tags: [] });
    const blue = { repositoryName: 'blue', tags: tags('team', 'blue') };
    await refused(tagger.createRepository(blue), 'AccessDeniedException', /ecr:TagResource/);
    const { repository } = await tagger.createRepository(red);
    const resourceArn = String(repository?.repositoryArn);
    await tagger.tagResource({ resourceArn, tags: [...tags('team', 'red'), ...tags('old', 'x')] });
    await refused(tagger.tagResource({ resourceArn, tags: tags('team', 'blue') }), 'AccessDeniedException');
    await tagger.untagResource({ resourceArn, tagKeys: ['old'] });
    await refused(tagger.untagResource({ resourceArn, tagKeys: ['team'] }), 'AccessDeniedException');
  });

  it('depends on the address and the encryption that the client had, as the trusted proxy tells', async () => {
    const Condition = { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' }, Bool: { 'aws:SecureTransport': 'true' } };
    const credentials = await aws.user('near', [
      { Effect: 'Allow', Action: 'ecr:ListImages', Resource: '*', Condition },
    ]);
    const status = async (from: string, scheme: string) => {
      const { headers, ...sent } = await signedCall(aws, credentials, 'ListImages', {
        input: { repositoryName: 'one' },
      });
      const forwarded = { 'x-forwarded-for': from, 'x-forwarded-proto': scheme };
      return (await http(`${aws.url}/`, { ...sent, headers: { ...headers, ...forwarded } })).status;
    };
    assert.equal(await status('192.0.2.7', 'https'), 200);
    assert.equal(aws.audited.at(-1)?.sourceIp, '192.0.2.7');
    assert.equal(await status('192.0.2.7', 'http'), 400);
    assert.equal(await status('198.51.100.7', 'https'), 400);
  });
});

describe('the policy of a repository', () => {
  let aws: AwsUnderTest;
  let owner: ECR;
  let user: Credentials;
  before(async () => {
    aws = await awsUnderTest();
    owner = aws.ecr(await aws.root());
    user = await aws.user('admin', [{ Effect: 'Allow', Action: 'ecr:*', Resource: '*' }]);
  });
  after(() => aws[Symbol.asyncDispose]());
  const repositoryName = 'one';
  const registryId = ACCOUNT;

  it('is kept and given back to the letter', async () => {
    const missing = `Repository policy does not exist for the repository with name 'one' in the registry with id '${ACCOUNT}'`;
    await refused(owner.getRepositoryPolicy({ repositoryName }), 'RepositoryPolicyNotFoundException', missing);
    await refused(owner.deleteRepositoryPolicy({ repositoryName }), 'RepositoryPolicyNotFoundException', missing);
    const policyText = `\n {"Version" : "2008-10-17", "Statement":[ {"Sid":"new statement é","Effect":"Allow",\t"Principal":"*","Action":["ecr:ListImages"]}]} `;
    const answer = { registryId, repositoryName, policyText };
    const strip = ({ $metadata: _, ...rest }: { $metadata: unknown }) => rest;
    assert.deepEqual(strip(await owner.setRepositoryPolicy({ repositoryName, policyText })), answer);
    assert.deepEqual(strip(await owner.getRepositoryPolicy({ repositoryName })), answer);
    assert.deepEqual(strip(await owner.deleteRepositoryPolicy({ repositoryName })), answer);
    await refused(owner.getRepositoryPolicy({ repositoryName }), 'RepositoryPolicyNotFoundException', missing);
  });

  it('is checked when it is written', async () => {
    const invalid =
      /^Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'/;
    for (const policyText of [
      '',
      'x',
      '{}',
      '[]',
      policy({ Effect: 'Perhaps', Principal: '*', Action: 'ecr:*' }),
      policy({ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:*' }, Action: 'ecr:*' }),
    ]) {
      await refused(owner.setRepositoryPolicy({ repositoryName, policyText }), 'InvalidParameterException', invalid);
    }
    const policyText = policy({ Effect: 'Allow', Principal: '*', Action: 'ecr:*' }).padEnd(10_241);
    await refused(
      owner.setRepositoryPolicy({ repositoryName, policyText }),
      'InvalidParameterException',
      /length less than or equal to 10240/,
    );
    await owner.setRepositoryPolicy({ repositoryName, policyText: policyText.slice(0, 10_240) });
    const elsewhere = owner.setRepositoryPolicy({ repositoryName: 'none', policyText: policyText.slice(0, 10_240) });
    await refused(elsewhere, 'RepositoryNotFoundException');
  });

  it('does not lock its author out unless forced to', async () => {
    const admin = aws.ecr(user);
    const policyText = policy({ Effect: 'Deny', Principal: '*', Action: 'ecr:SetRepositoryPolicy' });
    await refused(admin.setRepositoryPolicy({ repositoryName, policyText }), 'InvalidParameterException', /force/);
    await admin.setRepositoryPolicy({ repositoryName, policyText, force: true });
    const again = admin.setRepositoryPolicy({ repositoryName, policyText, force: true });
    await refused(again, 'AccessDeniedException', /with an explicit deny in a resource-based policy$/);
    await admin.deleteRepositoryPolicy({ repositoryName });
  });

  it('counts at once, and so does its end', async () => {
    const reader = aws.ecr(await aws.user('reader', []));
    const read = () => reader.listImages({ repositoryName });
    await refused(read(), 'AccessDeniedException', /no identity-based policy allows/);
    const Principal = { AWS: `arn:aws:iam::${ACCOUNT}:user/reader` };
    await owner.setRepositoryPolicy({
      repositoryName,
      policyText: policy({ Effect: 'Allow', Principal, Action: 'ecr:List*' }),
    });
    await read();
    assert.match(String(aws.audited.at(-1)?.decision), /repository policy/);
    await owner.deleteRepositoryPolicy({ repositoryName });
    await refused(read(), 'AccessDeniedException');
  });
});

describe('the policy of a registry', () => {
  it('is kept to the letter, and counts for every repository', async () => {
    await using aws = await awsUnderTest();
    const owner = aws.ecr(await aws.root());
    const missing = `Registry policy does not exist in the registry with id '${ACCOUNT}'`;
    await refused(owner.getRegistryPolicy({}), 'RegistryPolicyNotFoundException', missing);
    await refused(owner.deleteRegistryPolicy({}), 'RegistryPolicyNotFoundException', missing);
    const invalid =
      /^Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid registry policy provided'/;
    await refused(owner.putRegistryPolicy({ policyText: '{}' }), 'InvalidParameterException', invalid);

    const Resource = `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/one`;
    const policyText = ` ${policy({ Sid: 'a', Effect: 'Deny', Principal: '*', Action: 'ecr:ListImages', Resource })}`;
    const put = await owner.putRegistryPolicy({ policyText });
    assert.deepEqual([put.registryId, put.policyText], [ACCOUNT, policyText]);
    assert.equal((await owner.getRegistryPolicy({})).policyText, policyText);
    await refused(owner.listImages({ repositoryName: 'one' }), 'AccessDeniedException', /explicit deny/);
    await owner.listImages({ repositoryName: 'two' });
    assert.equal((await owner.deleteRegistryPolicy({})).policyText, policyText);
    await owner.listImages({ repositoryName: 'one' });
  });
});
