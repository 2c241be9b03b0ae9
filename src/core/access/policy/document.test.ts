import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Draft, textOf } from '../../../../test/oracle/policy-under-test.ts';
import { PolicyError, parsePolicy } from './document.ts';
import type { PolicyKind } from './statement.ts';

const anyone: Draft = { Principal: '*' };
const aws = (name: unknown): Draft => ({ Principal: { AWS: name } });

const accepted: readonly [what: string, kind: PolicyKind, statements: readonly Draft[]][] = [
  ['the least of a repository', 'repository', [anyone]],
  [
    'a Sid twice, with spaces',
    'repository',
    [
      { ...anyone, Sid: 'new statement!' },
      { ...anyone, Sid: 'new statement!' },
    ],
  ],
  ['a resource', 'repository', [{ ...anyone, Resource: 'arn:aws:ecr:*:*:repository/x' }]],
  ['an account id', 'repository', [aws('111111111111')]],
  ['a root', 'repository', [aws('arn:aws:iam::111111111111:root')]],
  ['a role with a path', 'repository', [aws('arn:aws:iam::111111111111:role/a/b/C_d')]],
  ['a session', 'repository', [aws('arn:aws:sts::111111111111:assumed-role/Role/who@example.com')]],
  ['a service role', 'repository', [aws('arn:aws:iam::111111111111:role/aws-service-role/x.amazonaws.com/X')]],
  ['a user of China', 'repository', [aws('arn:aws-cn:iam::111111111111:user/x')]],
  ['a service', 'repository', [{ Principal: { Service: 'codebuild.amazonaws.com' } }]],
  ['several types', 'repository', [{ Principal: { Service: ['a.b'], AWS: ['*'] } }]],
  ['wildcards in actions', 'repository', [{ ...anyone, Action: ['ecr:*', '*', 'ECR:Get?mage*'] }]],
  ['an action nobody knows', 'repository', [{ ...anyone, Action: 'ecr:MakeCoffee' }]],
  ['NotAction', 'repository', [{ ...anyone, NotAction: 'ecr:PutImage' }]],
  ['deny all but', 'repository', [{ Effect: 'Deny', NotPrincipal: { AWS: '111111111111' } }]],
  ['a registry', 'registry', [anyone]],
  ['any service in an identity', 'identity', [{ Action: ['s3:*', 'ecr-public:Get*', '*:*'] }]],
  ['NotResource', 'identity', [{ NotResource: 'arn:aws:ecr:*' }]],
  [
    'trust in a provider',
    'trust',
    [
      {
        Principal: { Federated: 'arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com' },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: {
            'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
            'gitlab.example.com:8443/x:sub': 'y',
          },
        },
      },
    ],
  ],
];

const refused: readonly [kind: PolicyKind, statement: Draft, reason: RegExp][] = [
  ['repository', {}, /needs a Principal/],
  ['registry', {}, /needs a Principal/],
  ['repository', { ...anyone, Effect: undefined }, /needs an Effect/],
  ['repository', { ...anyone, Effect: 'allow' }, /needs an Effect/],
  ['repository', { ...anyone, Action: undefined }, /neither a text|needs an Action/],
  ['repository', { ...anyone, Action: [] }, /empty Action/],
  ['repository', { ...anyone, Action: [1] }, /Action that is neither/],
  ['repository', { ...anyone, Action: 's3:GetObject' }, /action 's3:GetObject'/],
  ['repository', { ...anyone, Action: 'ecr' }, /action 'ecr'/],
  ['repository', { ...anyone, Action: 'e*:PutImage' }, /action/],
  ['repository', { ...anyone, Action: 'ecr:Put Image' }, /action/],
  ['registry', { ...anyone, Action: 'sts:AssumeRole' }, /which a registry policy cannot have/],
  ['repository', { ...anyone, Action: 'ecr:*', NotAction: 'ecr:*' }, /both Action and NotAction/],
  ['repository', { ...anyone, NotPrincipal: '*' }, /both Principal and NotPrincipal/],
  ['repository', { NotPrincipal: { AWS: '111111111111' } }, /goes with the Effect Deny alone/],
  ['repository', { ...anyone, Resources: '*' }, /unknown member 'Resources'/],
  ['repository', { ...anyone, Resource: 'team/app' }, /neither an ARN nor/],
  ['repository', { ...anyone, Sid: 1 }, /Sid that is not a text/],
  ['repository', { ...anyone, Condition: [] }, /Condition must be an object/],
  ['repository', { Principal: 'anyone' }, /A principal is/],
  ['repository', { Principal: ['*'] }, /A principal is/],
  ['repository', { Principal: {} }, /names nobody/],
  ['repository', aws([]), /names nobody/],
  ['repository', aws(111111111111), /must be a text/],
  ['repository', aws('alice'), /'alice' is not a principal/],
  ['repository', aws('11111111111'), /is not a principal/],
  ['repository', aws('arn:aws:iam::111111111111:*'), /is not a principal/],
  ['repository', aws('arn:aws:iam::111111111111:user/*'), /is not a principal/],
  ['repository', aws('arn:aws:iam::111111111111:user/*/x'), /is not a principal/],
  ['repository', aws('arn:aws:iam::*:root'), /is not a principal/],
  ['repository', aws('arn:aws:iam::111111111111:group/x'), /is not a principal/],
  ['repository', aws('arn:aws:ecr:us-east-1:111111111111:repository/x'), /is not a principal/],
  ['repository', aws('arn:aws:sts::111111111111:assumed-role/Role'), /is not a principal/],
  ['repository', { Principal: { CanonicalUser: 'x' } }, /not a type of principal/],
  ['repository', { Principal: { aws: '111111111111' } }, /not a type of principal/],
  ['repository', { Principal: { Service: '*' } }, /is not a principal/],
  ['repository', { Principal: { Federated: 'accounts.google.com' } }, /is not a principal/],
  ['registry', { ...anyone, Resource: undefined }, /needs a Resource/],
  ['identity', { ...anyone }, /has a Principal/],
  ['identity', { Effect: 'Deny', NotPrincipal: '*' }, /has a NotPrincipal/],
  ['identity', { Sid: 'with space' }, /letters and digits/],
  ['identity', { Action: 'PutImage' }, /action 'PutImage'/],
  ['identity', { Resource: '*', NotResource: '*' }, /both Resource and NotResource/],
  ['identity', { Resource: `arn:aws:ecr:*:*:$\{x` }, /is not closed/],
  [
    'trust',
    { Principal: { Federated: 'arn:aws:iam::111111111111:oidc-provider/*' }, Action: 'sts:*' },
    /is not a principal/,
  ],
  ['trust', { ...anyone, Action: 'ecr:*' }, /which a trust policy cannot have/],
  ['trust', { ...anyone, Action: 'sts:AssumeRole', Resource: '*' }, /speaks of its role/],
  ['trust', { Effect: 'Deny', NotPrincipal: '*', Action: 'sts:*' }, /NotPrincipal, which a trust policy/],
];

const documents: readonly [what: string, text: string, reason: RegExp][] = [
  ['nothing', '', /not JSON/],
  ['no JSON', '{"Version"', /not JSON/],
  ['a list', '[]', /not a JSON object/],
  ['null', 'null', /not a JSON object/],
  ['no statement', '{"Version":"2012-10-17"}', /no Statement/],
  ['an empty list of statements', '{"Version":"2012-10-17","Statement":[]}', /no Statement/],
  ['another version', '{"Version":"2012-10-18","Statement":[]}', /Version must be/],
  ['a number for the Id', '{"Id":1,"Statement":[]}', /Id must be a text/],
  ['an unknown member', '{"Statements":[]}', /unknown member 'Statements'/],
  ['a statement that is a text', '{"Statement":["x"]}', /Statement 1: must be an object/],
  ['the same member twice', '{"Statement":{"Effect":"Deny","Effect":"Allow"}}', /'Effect' twice/],
  ['the same member, spelt differently', '{"Statement":{"Action":"*","\\u0041ction":"*"}}', /'Action' twice/],
];

describe('policies that are accepted', () => {
  for (const [what, kind, statements] of accepted)
    it(what, () => assert.equal(parsePolicy(textOf(kind, statements), kind).statements.length, statements.length));

  it('a single statement, not in a list, without a version', () => {
    const document = parsePolicy(
      '{"Id":"x","Statement":{"Effect":"Allow","Principal":"*","Action":"ecr:*"}}',
      'repository',
    );
    assert.deepEqual([document.id, document.version, document.statements.length], ['x', '2008-10-17', 1]);
  });

  it('values that look like members, and members of different objects', () => {
    const statement = { Condition: { StringEquals: { 'a:b': 'a:b": "' }, StringLike: { 'a:b': ['Sid', 'Sid'] } } };
    assert.equal(parsePolicy(textOf('identity', [statement, statement]), 'identity').statements.length, 2);
  });
});

describe('policies that are refused', () => {
  const isRefused = (text: string, kind: PolicyKind, reason: RegExp) =>
    assert.throws(
      () => parsePolicy(text, kind),
      (error) => error instanceof PolicyError && reason.test(error.message),
    );
  for (const [what, text, reason] of documents) it(what, () => isRefused(text, 'repository', reason));
  for (const [kind, statement, reason] of refused)
    it(`${kind} ${JSON.stringify(statement)}`, () => isRefused(textOf(kind, [statement]), kind, reason));

  it('says which statement', () =>
    isRefused(textOf('identity', [{}, { Action: 'x' }]), 'identity', /^Statement 2: has the action 'x'/));
  it('a Sid twice in an identity policy', () =>
    isRefused(
      textOf('identity', [{ Sid: 'a' }, { Sid: 'a' }]),
      'identity',
      /^Statement 2: another one has the Sid 'a'/,
    ));

  it('one character more than ECR takes', () => {
    const text = (length: number) => textOf('repository', [{ ...anyone, Sid: 'x'.repeat(length) }]);
    const room = 10_240 - text(0).length;
    assert.ok(parsePolicy(text(room), 'repository'));
    isRefused(text(room + 1), 'repository', /longer than 10240 characters/);
    isRefused(`${text(room)} `, 'repository', /longer than 10240 characters/);
  });

  it('one character more than IAM takes, which does not count white space', () => {
    const text = (length: number) => textOf('identity', [{ Sid: 'x'.repeat(length) }]);
    const room = 6144 - text(0).length;
    assert.ok(parsePolicy(text(room) + ' '.repeat(10_000), 'identity'));
    isRefused(text(room + 1), 'identity', /longer than 6144 characters/);
    isRefused(text(0) + ' '.repeat(140_000), 'identity', /longer than 6144 characters/);
  });
});
