import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { type Gantry, gantryOn, refusalOn } from './gantry-command.ts';

const root = 'arn:aws:iam::000000000000';
const documents = {
  'pull.json': { Effect: 'Allow', Action: 'ecr:BatchGetImage', Resource: '*' },
  'home.json': {
    Sid: 'Home',
    Effect: 'Allow',
    Action: 'ecr:PutImage',
    Resource: '*',
    Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
  },
  'trust.json': { Effect: 'Allow', Principal: { AWS: `${root}:user/alice` }, Action: 'sts:AssumeRole' },
};

describe('the commands of access, without a server', () => {
  let folder: TemporaryFolder;
  let gantry: Gantry;
  let refusal: Gantry;
  const file = (name: string) => join(folder.path, name);
  const json = async (...words: string[]) => JSON.parse(await gantry(...words, '--json'));

  before(async () => {
    folder = await temporaryFolder();
    const data = join(folder.path, 'data');
    gantry = gantryOn(data);
    refusal = refusalOn(data);
    for (const [name, Statement] of Object.entries(documents)) {
      writeFileSync(file(name), JSON.stringify({ Version: '2012-10-17', Statement: [Statement] }));
    }
    writeFileSync(file('broken.json'), '{ "Version": "2012-10-17", "Statement": [{ "Effect": "Perhaps" }] }');
  });
  after(() => folder[Symbol.asyncDispose]());

  it('make users and groups, and show them', async () => {
    assert.match(await gantry('user', 'list'), /^Account 000000000000 has no users\.\n$/);
    assert.match(
      await gantry('user', 'create', 'alice'),
      /^Created user alice, arn:aws:iam::000000000000:user\/alice\./,
    );
    await gantry('user', 'create', 'bob');
    await gantry('group', 'create', 'readers');
    await gantry('group', 'add', 'readers', 'alice');
    assert.match(
      await gantry('user', 'list'),
      /^NAME +CREATED.*\nalice +\S+ \S+ +0 +readers +-\nbob +\S+ \S+ +0 +- +-\n$/,
    );
    assert.match(await gantry('group', 'list'), /\nreaders +\S+ \S+ +alice +-\n$/);
    const [alice] = await json('user', 'list');
    assert.partialDeepStrictEqual(alice, { name: 'alice', arn: `${root}:user/alice`, groups: ['readers'] });
    await gantry('group', 'remove', 'readers', 'alice');
    assert.deepEqual((await json('group', 'list'))[0].users, []);
    await gantry('group', 'add', 'readers', 'alice');
  });

  it('keep accounts apart', async () => {
    await gantry('user', 'create', 'alice', '--account', '111122223333');
    assert.equal((await json('user', 'list')).length, 2);
    const [other] = await json('user', 'list', '--account', '111122223333');
    assert.equal(other.arn, 'arn:aws:iam::111122223333:user/alice');
    const chinese = await json('user', 'create', 'bob', '--account', '111122223333', '--region', 'cn-north-1');
    assert.equal(chinese.arn, 'arn:aws-cn:iam::111122223333:user/bob');
  });

  it('refuse in words', async () => {
    assert.match(await refusal('user', 'create', 'alice'), /has a user 'alice' already/);
    assert.match(await refusal('user', 'create', 'no name'), /'no name' is no name/);
    assert.match(await refusal('user', 'delete', 'carol'), /There is no user 'carol'/);
    assert.match(await refusal('group', 'add', 'nobody', 'alice'), /There is no group 'nobody'/);
    assert.match(await refusal('user', 'list', '--account', '12'), /must be twelve digits/);
    assert.match(await refusal('role', 'create', 'r', '--trust-policy', file('absent.json')), /there is no such file/);
    assert.match(await refusal('role', 'create', 'r', '--trust-policy', file('broken.json')), /Effect/);
    const long = ['role', 'create', 'r', '--trust-policy', file('trust.json'), '--max-session', '13h'];
    assert.match(await refusal(...long), /between 1h and 12h/);
    assert.match(await refusal('provider', 'add', 'http://example.com', '--audience', 'a'), /must be an https URL/);
    assert.match(await refusal('audit', '--audit', file('absent')), /There is no audit trail/);
  });

  it('make roles and issuers', async () => {
    await gantry('role', 'create', 'ci', '--trust-policy', file('trust.json'), '--max-session', '2h');
    assert.match(await gantry('role', 'list'), /\nci +\S+ \S+ +2h +-\n$/);
    const issuer = 'https://token.actions.githubusercontent.com';
    const added = await gantry('provider', 'add', issuer, '--audience', 'one', '--audience', 'two');
    assert.match(added, /:oidc-provider\/token\.actions\.githubusercontent\.com"/);
    assert.deepEqual((await json('provider', 'list'))[0].audiences, ['one', 'two']);
    await gantry('provider', 'delete', issuer);
    assert.match(await refusal('provider', 'delete', issuer), /knows no issuer/);
  });

  it('attach policies and explain what follows from them', async () => {
    await gantry('policy', 'attach', '--group', 'readers', '--managed', 'AmazonEC2ContainerRegistryReadOnly');
    await gantry('policy', 'attach', '--user', 'alice', '--name', 'home', '--document', file('home.json'));
    await gantry('policy', 'attach', '--role', 'ci', '--name', 'pull', '--document', file('pull.json'));
    const listed = await gantry('policy', 'list');
    assert.match(listed, /user\/alice +home +its own\n.*group\/readers +Amazon\w+ReadOnly +managed\n.*role\/ci +pull/s);
    assert.equal((await json('policy', 'list', '--user', 'alice'))[0].document.Statement[0].Sid, 'Home');

    const put = ['explain', '--principal', 'user/alice', '--action', 'ecr:PutImage', '--resource', 'team/app'];
    assert.match(await gantry(...put), /^arn:\S+:user\/alice may not perform ecr:PutImage on \S+team\/app: /);
    const home = await gantry(...put, '--source-ip', '10.1.2.3');
    assert.match(home, / may perform ecr:PutImage .*statement 1 "Home" of the identity policy 'user\/alice: home'/);
    assert.equal((await json(...put, '--source-ip', '192.0.2.1')).allowed, false);
    const pull = ['--action', 'BatchGetImage', '--resource', 'arn:aws:ecr:us-east-1:000000000000:repository/team/app'];
    for (const who of ['user/alice', `${root}:role/ci`, 'arn:aws:sts::000000000000:assumed-role/ci/run-1', 'root']) {
      assert.equal((await json('explain', '--principal', who, ...pull)).allowed, true, who);
    }
    for (const who of ['user/bob', 'anonymous', 'arn:aws:iam::111122223333:root']) {
      assert.equal((await json('explain', '--principal', who, ...pull)).allowed, false, who);
    }
    assert.match(await refusal('explain', '--principal', 'user/carol', ...pull), /There is no user 'carol'/);
  });

  it('refuse policies that are none, or nobody', async () => {
    const attach = (...words: string[]) => refusal('policy', 'attach', ...words);
    assert.match(await attach('--user', 'alice', '--managed', 'Everything'), /there are AmazonEC2Container/);
    assert.match(await attach('--user', 'alice', '--name', 'x', '--document', file('broken.json')), /Effect/);
    assert.match(await attach('--user', 'alice', '--document', file('pull.json')), /needs --name/);
    assert.match(await attach('--managed', 'ReadOnly'), /Give one of --user, --group and --role/);
    assert.match(await attach('--user', 'a', '--role', 'b', '--managed', 'ReadOnly'), /Give one of/);
    assert.match(await attach('--user', 'carol', '--managed', 'ReadOnly'), /There is no user 'carol'/);
    assert.match(await refusal('policy', 'detach', '--user', 'alice', '--name', 'y'), /There is no policy 'y'/);
    await gantry('policy', 'detach', '--user', 'alice', '--name', 'home');
    assert.deepEqual(await json('policy', 'list', '--user', 'alice'), []);
  });

  it('make keys whose secret is shown once', async () => {
    const made = await gantry('key', 'create', '--user', 'alice');
    const [, id = '', secret = ''] = /^Access key ID: +(AKIA\w{16})\nSecret access key: +(\S{40})\n/.exec(made) ?? [];
    assert.ok(made.includes('this once'), made);
    const rotated = await json('key', 'rotate', id, '--disable-old');
    assert.notEqual(rotated.accessKeyId, id);
    assert.match(await refusal('key', 'create', '--user', 'alice'), /alice has 2 access keys already/);
    const listed = await gantry('key', 'list');
    assert.match(listed, new RegExp(`${id} +alice +disabled .*\\n${rotated.accessKeyId} +alice +active `));
    assert.ok(![secret, rotated.secretAccessKey].some((hidden) => listed.includes(hidden)));
    assert.ok(!JSON.stringify(await json('key', 'list', '--user', 'alice')).includes('ealed'));
    await gantry('key', 'enable', id);
    await gantry('key', 'delete', id);
    assert.match(await refusal('key', 'delete', id), /There is no access key/);
    assert.match(await refusal('key', 'create'), /--user NAME or --root/);
    assert.match(await refusal('key', 'create', '--user', 'bob', '--root'), /give one of them/);
    assert.equal((await json('key', 'create', '--root')).secretAccessKey.length, 40);
  });

  it('make no key under another key file than the one in use', async () => {
    const other = ['--key-file', file('other.key')];
    assert.match(await refusal('key', 'create', '--user', 'bob', ...other), /is not the key file .*--key-file/);
  });

  it('tell the audit trail of every change, and of no secret', async () => {
    const lines = (await gantry('audit', '--json')).trimEnd().split('\n');
    const made = lines.map((line) => JSON.parse(line).eventName);
    const iam = ['CreateUser', 'CreateGroup', 'AddUserToGroup', 'RemoveUserFromGroup', 'CreateRole', 'CreateAccessKey'];
    const providers = ['CreateOpenIDConnectProvider', 'DeleteOpenIDConnectProvider'];
    const more = ['UpdateAccessKey', 'DeleteAccessKey', 'AttachPolicy', 'DetachPolicy'];
    assert.deepEqual([...new Set(made)].toSorted(), [...iam, ...providers, ...more].toSorted());
    const { secretAccessKey } = await json('key', 'create', '--user', 'bob');
    const [key = ''] = (await gantry('audit', '--json')).trimEnd().split('\n').slice(-1);
    assert.ok(!key.includes(secretAccessKey));
    assert.partialDeepStrictEqual(JSON.parse(key), {
      userIdentity: { userName: `operator:${userInfo().username}` },
      eventSource: 'iam.amazonaws.com',
      eventName: 'CreateAccessKey',
      requestParameters: { userName: 'bob' },
      recipientAccountId: '000000000000',
    });
    assert.equal(statSync(join(folder.path, 'data', 'audit.jsonl')).mode & 0o777, 0o600);
  });

  it('make tokens within bounds, and forget them with whom they act for', async () => {
    const create = ['token', 'create', '--principal'];
    const bounds = ['--expires', '12h', '--actions', 'pull,push', '--repositories', 'team/*', '--repositories', 'a'];
    const token = await json(...create, 'user/bob', ...bounds);
    assert.match(token.password, /^gantry_/);
    assert.deepEqual(
      [token.actions, token.repositories],
      [
        ['pull', 'push'],
        ['team/*', 'a'],
      ],
    );
    assert.equal(Date.parse(token.expiresAt) - Date.parse(token.createdAt), 12 * 3600 * 1000);
    const listed = await gantry('token', 'list');
    assert.match(listed, new RegExp(`\\n${token.id} +user/bob +pull, push +team/\\*, a +\\S+ \\S+ +never\\n$`));
    assert.ok(!JSON.stringify(await json('token', 'list')).includes('ecret'));
    assert.match(await refusal(...create, 'user/carol'), /There is no user 'carol'/);
    assert.match(await refusal(...create, 'user/bob', '--actions', 'admin'), /must be of pull, push, delete/);
    assert.match(await refusal(...create, 'user/bob', '--repositories', 'Team'), /must be names/);
    await gantry('token', 'revoke', token.id);
    assert.match(await refusal('token', 'revoke', token.id), /There is no token/);
    await json(...create, 'user/bob');
    assert.match(await gantry('user', 'delete', 'bob'), /with its keys, tokens, policies/);
    assert.deepEqual(await json('token', 'list'), []);
  });
});
