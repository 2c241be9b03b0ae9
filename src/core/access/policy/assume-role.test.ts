import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  alice,
  bob,
  type Draft,
  FOREIGN,
  OWN,
  policiesOf,
  ROLE,
  requestOf,
  root,
  textOf,
} from '../../../../test/oracle/policy-under-test.ts';
import { parsePolicy } from './document.ts';
import { type Decision, evaluate } from './evaluate.ts';

const DENY: Draft = { Effect: 'Deny' };
const by = (aws: unknown, more: Draft = {}): Draft => ({ Principal: { AWS: aws }, ...more });

describe('assuming a role', () => {
  const PROVIDER = `arn:aws:iam::${OWN}:oidc-provider/token.example.com`;
  const web = { kind: 'federated', arn: PROVIDER, accountId: OWN, userId: '' } as const;
  const assume: Draft = { Action: 'sts:AssumeRole' };
  const rows: readonly [
    what: string,
    request: Parameters<typeof requestOf>[0],
    trust: Draft,
    own: readonly Draft[],
    reason: Decision['reason'],
  ][] = [
    ['the trust policy names the user', {}, by(alice.arn), [], 'allowed-by-resource'],
    ['the own policy is not enough', {}, by(bob.arn), [assume], 'no-resource-allow'],
    ['nobody allows', {}, by(bob.arn), [], 'no-resource-allow'],
    ['the account alone delegates', {}, by(OWN), [], 'no-identity-allow'],
    ['the account, and the own policy', {}, by(OWN), [assume], 'allowed-by-resource'],
    ['across accounts, own policy silent', { principal: bob }, by(bob.arn), [], 'no-identity-allow'],
    ['across accounts, both', { principal: bob }, by(FOREIGN), [assume], 'allowed-by-resource'],
    ['root needs the trust policy too', { principal: root }, by(bob.arn), [], 'no-resource-allow'],
    ['root, trusted', { principal: root }, by(OWN), [], 'allowed-by-resource'],
    ['an own denial', {}, by(alice.arn), [{ ...assume, ...DENY }], 'explicit-deny'],
    [
      'own policies are none of a provider',
      { principal: web },
      { Principal: { Federated: PROVIDER } },
      [{ ...assume, ...DENY }],
      'allowed-by-resource',
    ],
    [
      'a provider',
      { principal: web, action: 'sts:AssumeRoleWithWebIdentity' },
      { Principal: { Federated: PROVIDER }, Action: 'sts:AssumeRoleWithWebIdentity' },
      [],
      'allowed-by-resource',
    ],
    [
      'another provider',
      { principal: web, action: 'sts:AssumeRoleWithWebIdentity' },
      { Principal: { Federated: `${PROVIDER}/x` }, Action: 'sts:*' },
      [],
      'no-resource-allow',
    ],
    [
      'the provider’s account does not stand for it',
      { principal: web, action: 'sts:AssumeRoleWithWebIdentity' },
      by(OWN, { Action: 'sts:*' }),
      [],
      'no-resource-allow',
    ],
    [
      'a claim that fits',
      { principal: web, context: { 'token.example.com:sub': 'repo:a/b' } },
      { Principal: { Federated: PROVIDER }, Condition: { StringLike: { 'token.example.com:sub': 'repo:a/*' } } },
      [],
      'allowed-by-resource',
    ],
    [
      'a claim that does not',
      { principal: web, context: { 'token.example.com:sub': 'repo:x/b' } },
      { Principal: { Federated: PROVIDER }, Condition: { StringLike: { 'token.example.com:sub': 'repo:a/*' } } },
      [],
      'no-resource-allow',
    ],
  ];
  for (const [what, request, trust, own, reason] of rows) {
    it(`${what}: ${reason}`, () => {
      const action = request?.action ?? 'sts:AssumeRole';
      const statement = { Action: 'sts:AssumeRole', ...trust };
      const decision = evaluate(requestOf({ ...request, action, resource: ROLE }), {
        ...policiesOf({ ...(own.length > 0 && { identity: own }) }),
        repository: { name: 'trust policy', document: parsePolicy(textOf('trust', [statement]), 'trust') },
      });
      assert.equal(decision.reason, reason);
    });
  }
});
