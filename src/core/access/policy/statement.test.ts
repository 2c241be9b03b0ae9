import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  builder,
  type Draft,
  OWN,
  type PolicyDrafts,
  policiesOf,
  REPOSITORY,
  requestOf,
  variable,
} from '../../../../test/oracle/policy-under-test.ts';
import { type Decision, evaluate } from './evaluate.ts';

type Case = readonly [
  what: string,
  request: Parameters<typeof requestOf>[0],
  drafts: PolicyDrafts,
  reason: Decision['reason'],
];

const ALLOW: readonly Draft[] = [{}];
const anyone: Draft = { Principal: '*' };
const OWN_NAME = variable('aws:username');

const cases: readonly Case[] = [
  ['upper and lower case of actions alike', {}, { identity: [{ Action: 'ECR:batchgetIMAGE' }] }, 'allowed-by-identity'],
  ['of the request too', { action: 'ECR:BATCHGETIMAGE' }, { identity: ALLOW }, 'allowed-by-identity'],
  ['all actions', {}, { identity: [{ Action: '*' }] }, 'allowed-by-identity'],
  ['all of ecr', {}, { identity: [{ Action: 'ecr:*' }] }, 'allowed-by-identity'],
  ['a question mark', {}, { identity: [{ Action: 'ecr:BatchGetImag?' }] }, 'allowed-by-identity'],
  ['one too few', {}, { identity: [{ Action: 'ecr:BatchGetIma?' }] }, 'no-identity-allow'],
  ['one of a list', {}, { identity: [{ Action: ['ecr:PutImage', 'ecr:Batch*'] }] }, 'allowed-by-identity'],
  ['NotAction of another', {}, { identity: [{ NotAction: 'ecr:PutImage' }] }, 'allowed-by-identity'],
  ['NotAction of this', {}, { identity: [{ NotAction: ['ecr:PutImage', 'ecr:BatchGet*'] }] }, 'no-identity-allow'],
  [
    'deny NotAction of this',
    {},
    { identity: [{}, { Effect: 'Deny', NotAction: 'ecr:BatchGet*', Resource: '*' }] },
    'allowed-by-identity',
  ],
  [
    'deny NotAction of another',
    {},
    { identity: [{}, { Effect: 'Deny', NotAction: 'ecr:Put*', Resource: '*' }] },
    'explicit-deny',
  ],
  ['NotResource of another', {}, { identity: [{ NotResource: `${REPOSITORY}2` }] }, 'allowed-by-identity'],
  ['NotResource of this', {}, { identity: [{ NotResource: [`${REPOSITORY}2`, REPOSITORY] }] }, 'no-identity-allow'],
  [
    'resources are told apart by case',
    {},
    { identity: [{ Resource: REPOSITORY.replace('app', 'App') }] },
    'no-identity-allow',
  ],
  [
    'a repository policy that names its resource',
    {},
    { repository: [{ ...anyone, Resource: REPOSITORY }] },
    'allowed-by-resource',
  ],
  [
    'a repository policy that names another',
    {},
    { repository: [{ ...anyone, Resource: `${REPOSITORY}2` }] },
    'no-identity-allow',
  ],
  [
    'a registry policy for these',
    {},
    { registry: [{ ...anyone, Resource: `arn:aws:ecr:us-east-1:${OWN}:repository/team/*` }] },
    'allowed-by-resource',
  ],
  [
    'a registry policy for others',
    {},
    { registry: [{ ...anyone, Resource: `arn:aws:ecr:us-east-1:${OWN}:repository/other/*` }] },
    'no-identity-allow',
  ],
  [
    'the own name as a variable',
    {},
    { identity: [{ Resource: `arn:aws:ecr:*:*:repository/${OWN_NAME}/*` }] },
    'no-identity-allow',
  ],
  [
    'the own name as it is',
    { resource: REPOSITORY.replace('team', 'alice') },
    { identity: [{ Resource: `arn:aws:ecr:*:*:repository/${OWN_NAME}/*` }] },
    'allowed-by-identity',
  ],
  [
    'a variable without a value',
    { principal: builder },
    { identity: [{ Resource: `arn:aws:ecr:*:*:repository/*${OWN_NAME}*` }] },
    'no-identity-allow',
  ],
  [
    'negated, a variable without a value',
    { principal: builder },
    { identity: [{ NotResource: `arn:aws:ecr:*:*:repository/${OWN_NAME}` }] },
    'no-identity-allow',
  ],
  [
    'beside one that matches',
    { principal: builder },
    { identity: [{ Resource: [`arn:aws:ecr:*:*:repository/${OWN_NAME}`, REPOSITORY] }] },
    'allowed-by-identity',
  ],
];

describe('actions and resources of a statement', () => {
  for (const [what, request, drafts, reason] of cases) {
    it(`${what}: ${reason}`, () => {
      assert.equal(evaluate(requestOf(request), policiesOf(drafts)).reason, reason);
    });
  }
});
