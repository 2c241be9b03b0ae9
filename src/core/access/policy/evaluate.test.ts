import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  alice,
  anonymous,
  bob,
  builder,
  type Draft,
  FOREIGN,
  foreignRoot,
  OWN,
  type PolicyDrafts,
  policiesOf,
  REPOSITORY,
  ROLE,
  requestOf,
  root,
} from '../../../../test/oracle/policy-under-test.ts';
import { type Decision, evaluate } from './evaluate.ts';

type Case = readonly [
  what: string,
  request: Parameters<typeof requestOf>[0],
  drafts: PolicyDrafts,
  reason: Decision['reason'],
];

const ALLOW: readonly Draft[] = [{}];
const DENY: Draft = { Effect: 'Deny' };
const anyone: Draft = { Principal: '*' };
const by = (aws: unknown, more: Draft = {}): Draft => ({ Principal: { AWS: aws }, ...more });
const allBut = (...names: readonly string[]): Draft => ({ ...DENY, NotPrincipal: { AWS: names } });
const TOKEN = { action: 'ecr:GetAuthorizationToken', resource: '*' };

const cases: Readonly<Record<string, readonly Case[]>> = {
  'within one account': [
    ['nothing allows', {}, {}, 'no-identity-allow'],
    ['the own policy allows', {}, { identity: ALLOW }, 'allowed-by-identity'],
    ['the repository allows the user', {}, { repository: [by(alice.arn)] }, 'allowed-by-resource'],
    ['the registry allows the user', {}, { registry: [by(alice.arn)] }, 'allowed-by-resource'],
    ['the repository allows anyone', {}, { repository: [anyone] }, 'allowed-by-resource'],
    ['the repository allows AWS anyone', {}, { repository: [by('*')] }, 'allowed-by-resource'],
    ['the repository allows a list', {}, { repository: [by([bob.arn, alice.arn])] }, 'allowed-by-resource'],
    ['the repository allows another user', {}, { repository: [by(bob.arn)] }, 'no-identity-allow'],
    ['the repository names the account', {}, { repository: [by(OWN)] }, 'no-identity-allow'],
    ['the repository names the account by its root', {}, { repository: [by(root.arn)] }, 'no-identity-allow'],
    ['account named, own policy allows', {}, { repository: [by(OWN)], identity: ALLOW }, 'allowed-by-identity'],
    ['a user of another path', {}, { repository: [by(`arn:aws:iam::${OWN}:user/alice`)] }, 'no-identity-allow'],
    ['a service', {}, { repository: [{ Principal: { Service: 'ecs.amazonaws.com' } }] }, 'no-identity-allow'],
    [
      'a service and the user',
      {},
      { repository: [{ Principal: { Service: 'a.b', AWS: alice.arn } }] },
      'allowed-by-resource',
    ],
    ['another action', { action: 'ecr:PutImage' }, { identity: ALLOW }, 'no-identity-allow'],
    ['identity and resource allow', {}, { identity: ALLOW, repository: [anyone] }, 'allowed-by-identity'],
  ],
  'explicit deny': [
    ['own', {}, { identity: [{}, DENY] }, 'explicit-deny'],
    ['own, first', {}, { identity: [DENY, {}] }, 'explicit-deny'],
    ['of the repository', {}, { identity: ALLOW, repository: [{ ...DENY, ...anyone }] }, 'explicit-deny'],
    ['of the repository for the account', {}, { identity: ALLOW, repository: [by(OWN, DENY)] }, 'explicit-deny'],
    ['of the repository for the user', {}, { identity: ALLOW, repository: [by(alice.arn, DENY)] }, 'explicit-deny'],
    ['of the repository for another', {}, { identity: ALLOW, repository: [by(bob.arn, DENY)] }, 'allowed-by-identity'],
    ['of the registry', {}, { identity: ALLOW, registry: [{ ...DENY, ...anyone }] }, 'explicit-deny'],
    ['of the session', {}, { identity: ALLOW, session: [{}, DENY] }, 'explicit-deny'],
    ['of another action', {}, { identity: [{}, { ...DENY, Action: 'ecr:PutImage' }] }, 'allowed-by-identity'],
    ['of another resource', {}, { identity: [{}, { ...DENY, Resource: `${REPOSITORY}2` }] }, 'allowed-by-identity'],
    ['nothing else', {}, { identity: [DENY] }, 'explicit-deny'],
    ['for root, own repository', { principal: root }, { repository: [{ ...DENY, ...anyone }] }, 'explicit-deny'],
    ['for root by account', { principal: root }, { repository: [by(OWN, DENY)] }, 'explicit-deny'],
    ['for root by registry', { principal: root }, { registry: [{ ...DENY, ...anyone }] }, 'explicit-deny'],
    [
      'a condition that fails',
      {},
      { identity: [{}, { ...DENY, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }] },
      'allowed-by-identity',
    ],
    [
      'a condition that holds',
      { context: { 'aws:SecureTransport': 'false' } },
      { identity: [{}, { ...DENY, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }] },
      'explicit-deny',
    ],
  ],
  'across accounts': [
    ['nothing allows', { principal: bob }, {}, 'no-identity-allow'],
    ['own policy alone', { principal: bob }, { identity: ALLOW }, 'no-resource-allow'],
    ['repository alone', { principal: bob }, { repository: [by(bob.arn)] }, 'no-identity-allow'],
    ['anyone, without own', { principal: bob }, { repository: [anyone] }, 'no-identity-allow'],
    ['both', { principal: bob }, { identity: ALLOW, repository: [by(bob.arn)] }, 'allowed-by-resource'],
    ['both, by account', { principal: bob }, { identity: ALLOW, repository: [by(FOREIGN)] }, 'allowed-by-resource'],
    [
      'both, by its root',
      { principal: bob },
      { identity: ALLOW, repository: [by(foreignRoot.arn)] },
      'allowed-by-resource',
    ],
    ['both, by anyone', { principal: bob }, { identity: ALLOW, repository: [anyone] }, 'allowed-by-resource'],
    ['both, by registry', { principal: bob }, { identity: ALLOW, registry: [by(FOREIGN)] }, 'allowed-by-resource'],
    ['the wrong account', { principal: bob }, { identity: ALLOW, repository: [by(OWN)] }, 'no-resource-allow'],
    ['root, repository silent', { principal: foreignRoot }, {}, 'no-resource-allow'],
    [
      'root, repository names account',
      { principal: foreignRoot },
      { repository: [by(FOREIGN)] },
      'allowed-by-resource',
    ],
    [
      'denied here',
      { principal: bob },
      { identity: ALLOW, repository: [by(FOREIGN), by(bob.arn, DENY)] },
      'explicit-deny',
    ],
    ['denied there', { principal: bob }, { identity: [{}, DENY], repository: [by(FOREIGN)] }, 'explicit-deny'],
  ],
  'roles and sessions': [
    ['own policy of the role', { principal: builder }, { identity: ALLOW }, 'allowed-by-identity'],
    ['repository allows the role', { principal: builder }, { repository: [by(ROLE)] }, 'allowed-by-resource'],
    ['repository allows the session', { principal: builder }, { repository: [by(builder.arn)] }, 'allowed-by-resource'],
    ['another session', { principal: builder }, { repository: [by(`${builder.arn}2`)] }, 'no-identity-allow'],
    [
      'another path of the role',
      { principal: builder },
      { repository: [by(`arn:aws:iam::${OWN}:role/Builder`)] },
      'no-identity-allow',
    ],
    [
      'a role without a path is concluded',
      { principal: { kind: 'assumed-role', arn: builder.arn, accountId: OWN, userId: 'AROA:x' } },
      { repository: [by(`arn:aws:iam::${OWN}:role/Builder`)] },
      'allowed-by-resource',
    ],
    ['deny of the role', { principal: builder }, { identity: ALLOW, repository: [by(ROLE, DENY)] }, 'explicit-deny'],
  ],
  'session policies': [
    ['allow too', {}, { identity: ALLOW, session: ALLOW }, 'allowed-by-identity'],
    ['do not allow', {}, { identity: ALLOW, session: [{ Action: 'ecr:ListImages' }] }, 'no-session-allow'],
    ['allow alone', {}, { session: ALLOW }, 'no-identity-allow'],
    [
      'limit what a resource allows',
      {},
      { repository: [by(alice.arn)], session: [{ Action: 'ecr:ListImages' }] },
      'no-session-allow',
    ],
    ['limit root', { principal: root }, { session: [{ Action: 'ecr:ListImages' }] }, 'no-session-allow'],
    ['let root', { principal: root }, { session: ALLOW }, 'allowed-as-root'],
  ],
  root: [
    ['of the own account', { principal: root }, {}, 'allowed-as-root'],
    ['any action', { principal: root, action: 'ecr:DeleteRegistryPolicy', resource: '*' }, {}, 'allowed-as-root'],
    [
      'is not denied by a policy for others',
      { principal: root },
      { repository: [by(bob.arn, DENY)] },
      'allowed-as-root',
    ],
  ],
  anonymous: [
    ['nothing allows', { principal: anonymous }, {}, 'no-resource-allow'],
    ['anyone', { principal: anonymous }, { repository: [anyone] }, 'allowed-by-resource'],
    ['AWS anyone', { principal: anonymous }, { repository: [by('*')] }, 'allowed-by-resource'],
    ['an account', { principal: anonymous }, { repository: [by(OWN)] }, 'no-resource-allow'],
    ['a user', { principal: anonymous }, { repository: [by(alice.arn)] }, 'no-resource-allow'],
    [
      'nor is it denied to that account',
      { principal: { ...anonymous, accountId: OWN } },
      { repository: [anyone, by(OWN, DENY)] },
      'allowed-by-resource',
    ],
    [
      'an ARN of its own counts for nothing',
      { principal: { ...anonymous, arn: alice.arn } },
      { repository: [by(alice.arn)] },
      'no-resource-allow',
    ],
    [
      'an account id of its own counts for nothing',
      { principal: { ...anonymous, accountId: OWN } },
      { repository: [by(OWN)] },
      'no-resource-allow',
    ],
    ['identity policies do not count', { principal: anonymous }, { identity: ALLOW }, 'no-resource-allow'],
    ['the registry for anyone', { principal: anonymous }, { registry: [anyone] }, 'no-resource-allow'],
    ['denied for anyone', { principal: anonymous }, { repository: [anyone, { ...DENY, ...anyone }] }, 'explicit-deny'],
    [
      'denied for all but a user',
      { principal: anonymous },
      { repository: [anyone, allBut(alice.arn)] },
      'explicit-deny',
    ],
    ['another action', { principal: anonymous, action: 'ecr:PutImage' }, { repository: [anyone] }, 'no-resource-allow'],
    [
      'only where a key of principals is absent',
      { principal: anonymous },
      { repository: [{ ...anyone, Condition: { StringEquals: { 'aws:PrincipalAccount': OWN } } }] },
      'no-resource-allow',
    ],
  ],
  'NotPrincipal with Deny': [
    ['the named user', {}, { identity: ALLOW, repository: [allBut(alice.arn, OWN)] }, 'allowed-by-identity'],
    ['another user', {}, { identity: ALLOW, repository: [allBut(bob.arn)] }, 'explicit-deny'],
    [
      'the account alone does not exempt its users',
      {},
      { identity: ALLOW, repository: [allBut(OWN)] },
      'explicit-deny',
    ],
    ['the account exempts its root', { principal: root }, { repository: [allBut(OWN)] }, 'allowed-as-root'],
    [
      'the role exempts its sessions',
      { principal: builder },
      { identity: ALLOW, repository: [allBut(ROLE, OWN)] },
      'allowed-by-identity',
    ],
    [
      'the session',
      { principal: builder },
      { identity: ALLOW, repository: [allBut(builder.arn, ROLE, OWN)] },
      'allowed-by-identity',
    ],
    ['anyone', {}, { identity: ALLOW, repository: [{ ...DENY, NotPrincipal: '*' }] }, 'allowed-by-identity'],
  ],
  'the authorization token': [
    ['own policy', TOKEN, { identity: [{ Action: 'ecr:GetAuthorizationToken' }] }, 'allowed-by-identity'],
    ['own policy with wildcards', TOKEN, { identity: [{ Action: 'ecr:Get*' }] }, 'allowed-by-identity'],
    [
      'own policy for one repository',
      TOKEN,
      { identity: [{ Action: 'ecr:*', Resource: REPOSITORY }] },
      'no-identity-allow',
    ],
    [
      'no policy of a resource gives it',
      TOKEN,
      { repository: [{ ...anyone, Action: 'ecr:*' }], registry: [{ ...anyone, Action: '*' }] },
      'no-identity-allow',
    ],
    [
      'in other letters',
      { ...TOKEN, action: 'ECR:getauthorizationtoken' },
      { registry: [{ ...anyone, Action: '*' }] },
      'no-identity-allow',
    ],
    [
      'a registry denies it',
      TOKEN,
      { identity: [{ Action: 'ecr:*' }], registry: [{ ...DENY, ...anyone, Action: 'ecr:*' }] },
      'explicit-deny',
    ],
    ['root', { ...TOKEN, principal: root }, {}, 'allowed-as-root'],
    ['anonymous', { ...TOKEN, principal: anonymous }, { registry: [{ ...anyone, Action: '*' }] }, 'no-resource-allow'],
  ],
};

for (const [group, rows] of Object.entries(cases)) {
  describe(group, () => {
    for (const [what, request, drafts, reason] of rows) {
      it(`${what}: ${reason}`, () => {
        const decision = evaluate(requestOf(request), policiesOf(drafts));
        assert.equal(decision.reason, reason);
        assert.equal(decision.allowed, reason.startsWith('allowed'));
      });
    }
  });
}

describe('a decision', () => {
  it('names the statement that decided', () => {
    const policies = policiesOf({ identity: [{}], repository: [anyone, { ...DENY, ...anyone, Sid: 'Not for you' }] });
    assert.deepEqual(evaluate(requestOf(), policies).decidedBy, {
      policy: 'of the repository',
      kind: 'repository',
      sid: 'Not for you',
      statement: 2,
    });
  });

  it('has a line for each statement, with the first element that did not match', () => {
    const { trace } = evaluate(
      requestOf({ context: { 'aws:SourceIp': '10.0.0.1' } }),
      policiesOf({
        identity: [
          { Action: ['ecr:Put*', 'ecr:Get*'] },
          { Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } },
        ],
        repository: [by(bob.arn), by(OWN)],
      }),
    );
    assert.deepEqual(
      trace.map(({ kind, statement, matched, delegates, mismatch }) => [kind, statement, matched, delegates, mismatch]),
      [
        [
          'identity',
          1,
          false,
          false,
          { element: 'Action', wanted: ['ecr:Put*', 'ecr:Get*'], actual: 'ecr:BatchGetImage' },
        ],
        [
          'identity',
          2,
          false,
          false,
          { element: 'Condition IpAddress aws:SourceIp', wanted: ['192.0.2.0/24'], actual: '10.0.0.1' },
        ],
        ['repository', 1, false, false, { element: 'Principal', wanted: [bob.arn], actual: alice.arn }],
        ['repository', 2, true, true, undefined],
      ],
    );
  });
});
