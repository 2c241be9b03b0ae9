import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requestOf } from '../../../../test/oracle/policy-under-test.ts';
import { parsePolicy } from './document.ts';
import { evaluate } from './evaluate.ts';
import { findManagedPolicy, managedPolicies, managedPolicy } from './managed-policies.ts';

const allowed = (name: string, actions: readonly string[]) =>
  actions.filter((action) => evaluate(requestOf({ action }), { identity: [managedPolicy(name)] }).allowed);

const actions =
  'GetAuthorizationToken BatchGetImage ListImages BatchCheckLayerAvailability PutImage BatchImportUpstreamImage DeleteRepository SetRepositoryPolicy'
    .split(' ')
    .map((action) => `ecr:${action}`);

describe('managed policies', () => {
  const rows: readonly [name: string, allows: readonly string[]][] = [
    ['ReadOnly', actions.slice(0, 4)],
    ['PowerUser', actions.slice(0, 5)],
    ['FullAccess', actions],
    ['PullOnly', [actions[0]!, actions[1]!, actions[5]!]],
  ];
  for (const [name, allows] of rows)
    it(`${name} allows what it does in AWS`, () => assert.deepEqual(allowed(name, actions), allows));

  it('are found by ARN, in any partition, and by name', () => {
    const policy = managedPolicy('AmazonEC2ContainerRegistryPullOnly');
    assert.equal(policy.arn, 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly');
    assert.equal(findManagedPolicy(policy.arn), policy);
    assert.equal(findManagedPolicy(policy.arn.replace('aws', 'aws-cn')), policy);
    assert.equal(findManagedPolicy('arn:aws:iam::aws:policy/AdministratorAccess'), undefined);
    assert.throws(() => managedPolicy('AdministratorAccess'), /no managed policy/);
  });

  it('have a text that parses to what they do', () => {
    for (const { text, document } of managedPolicies)
      assert.equal(parsePolicy(text, 'identity').statements.length, document.statements.length);
  });
});
