import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomPolicies, randomRequest } from '../../../../test/oracle/generated-policies.ts';
import { type Draft, type PolicyDrafts, policiesOf, requestOf } from '../../../../test/oracle/policy-under-test.ts';
import { randomSource } from '../../../../test/oracle/random-source.ts';
import { type ApplicablePolicies, evaluate } from './evaluate.ts';

const ROUNDS = 3_000;
const DENY_ALL: Draft = { Effect: 'Deny', Action: '*' };

describe('of any policies and requests', () => {
  it('one more Deny never allows', () => {
    const random = randomSource(11);
    for (let round = 0; round < ROUNDS; round += 1) {
      const request = requestOf(randomRequest(random));
      const drafts = randomPolicies(random);
      const denial = { ...randomPolicies(random).repository![0], Effect: 'Deny' };
      const before = evaluate(request, policiesOf(drafts));
      const after = evaluate(request, policiesOf({ ...drafts, repository: [...drafts.repository!, denial] }));
      assert.ok(before.allowed || !after.allowed, JSON.stringify({ request, drafts, denial }));
    }
  });

  it('one more Allow never denies', () => {
    const random = randomSource(12);
    for (let round = 0; round < ROUNDS; round += 1) {
      const request = requestOf(randomRequest(random));
      const drafts = randomPolicies(random);
      const grant = { ...randomPolicies(random).identity![0], Effect: 'Allow' };
      const before = evaluate(request, policiesOf(drafts));
      const after = evaluate(request, policiesOf({ ...drafts, identity: [...drafts.identity!, grant] }));
      assert.ok(after.allowed || !before.allowed, JSON.stringify({ request, drafts, grant }));
    }
  });

  it('the order of statements never matters', () => {
    const random = randomSource(13);
    for (let round = 0; round < ROUNDS; round += 1) {
      const request = requestOf(randomRequest(random));
      const drafts = randomPolicies(random);
      const shuffled = {
        ...drafts,
        identity: random.shuffled(drafts.identity!),
        repository: random.shuffled(drafts.repository!),
      };
      const { reason } = evaluate(request, policiesOf(drafts));
      assert.equal(evaluate(request, policiesOf(shuffled)).reason, reason, JSON.stringify({ request, drafts }));
    }
  });

  it('a Deny of everything denies, wherever it stands', () => {
    const random = randomSource(14);
    for (let round = 0; round < ROUNDS; round += 1) {
      const request = requestOf(randomRequest(random));
      const drafts: PolicyDrafts = randomPolicies(random);
      const everyone = { ...DENY_ALL, Principal: '*' };
      const where = random.pick(['identity', 'repository', 'registry', 'session'] as const);
      const denial = where === 'identity' || where === 'session' ? DENY_ALL : everyone;
      if (where === 'identity' && request.principal.kind === 'anonymous') continue;
      const policies = { ...drafts, [where]: [...(drafts[where] ?? []), denial] };
      assert.equal(evaluate(request, policiesOf(policies)).reason, 'explicit-deny');
    }
  });

  it('the trace has every statement once, and an allowed request names who allowed it', () => {
    const random = randomSource(15);
    for (let round = 0; round < ROUNDS; round += 1) {
      const request = requestOf(randomRequest(random));
      const policies = policiesOf(randomPolicies(random));
      const { trace, reason, decidedBy, allowed } = evaluate(request, policies);
      const count = statementsOf(policies, request.principal.kind === 'anonymous');
      assert.equal(trace.length, count);
      if (!allowed || reason === 'allowed-as-root') continue;
      const line = trace.find(({ kind, statement }) => kind === decidedBy?.kind && statement === decidedBy.statement);
      assert.deepEqual([line?.matched, line?.effect], [true, 'Allow']);
    }
  });
});

function statementsOf(policies: ApplicablePolicies, isAnonymous: boolean): number {
  const { identity, repository, registry, session = [] } = policies;
  const all = [...(isAnonymous ? [] : identity), repository, registry, ...session];
  return all.reduce((sum, policy) => sum + (policy?.document.statements.length ?? 0), 0);
}
