import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  alice,
  anonymous,
  bob,
  OWN,
  type PolicyDrafts,
  policiesOf,
  REPOSITORY,
  requestOf,
} from '../../../../test/oracle/policy-under-test.ts';
import { denialText } from './denial.ts';
import { evaluate } from './evaluate.ts';
import { explain } from './explain.ts';

const denied = (drafts: PolicyDrafts, principal = alice) => {
  const request = requestOf({ principal });
  return denialText(request, evaluate(request, policiesOf(drafts)));
};
const sentence = (who: string, why: string) =>
  `User: ${who} is not authorized to perform: ecr:BatchGetImage on resource: ${REPOSITORY} ${why}`;
const deny = { Effect: 'Deny' };

describe('what a denial says', () => {
  const rows: readonly [what: string, said: string, who: string, why: string][] = [
    ['no own policy', denied({}), alice.arn, 'because no identity-based policy allows the ecr:BatchGetImage action'],
    [
      'no foreign policy',
      denied({ identity: [{}] }, bob),
      bob.arn,
      'because no resource-based policy allows the ecr:BatchGetImage action',
    ],
    [
      'no session policy',
      denied({ identity: [{}], session: [{ Action: 'ecr:PutImage' }] }),
      alice.arn,
      'because no session policy allows the ecr:BatchGetImage action',
    ],
    ['an own denial', denied({ identity: [deny] }), alice.arn, 'with an explicit deny in an identity-based policy'],
    [
      'a denial of the repository',
      denied({ repository: [{ ...deny, Principal: '*' }] }),
      alice.arn,
      'with an explicit deny in a resource-based policy',
    ],
    [
      'a denial of the registry',
      denied({ registry: [{ ...deny, Principal: '*' }] }),
      alice.arn,
      'with an explicit deny in a resource-based policy',
    ],
    ['a denial of the session', denied({ session: [deny] }), alice.arn, 'with an explicit deny in a session policy'],
    [
      'an anonymous caller',
      denied({}, anonymous),
      'anonymous',
      'because no resource-based policy allows the ecr:BatchGetImage action',
    ],
  ];
  for (const [what, said, who, why] of rows) it(what, () => assert.equal(said, sentence(who, why)));

  it('says nothing of what is allowed', () => assert.throws(() => denied({ identity: [{}] }), /denies nothing/));
});

describe('explaining', () => {
  it('says the decision, then what became of each statement', () => {
    const request = requestOf({ context: { 'aws:TagKeys': ['a', 'b'] } });
    const policies = policiesOf({
      identity: [{ Sid: 'Pull' }, { Condition: { 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['x', 'y'] } } }],
      repository: [
        { Principal: { AWS: OWN } },
        { ...deny, Principal: '*', Condition: { Bool: { 'aws:SecureTransport': false } } },
      ],
    });
    assert.deepEqual(explain(request, policies), [
      `${alice.arn} may perform ecr:BatchGetImage on ${REPOSITORY}: an identity policy allows it (statement 1 "Pull" of the identity policy 'own').`,
      `statement 1 "Pull" of the identity policy 'own', Allow: applies`,
      `statement 2 of the identity policy 'own', Allow: does not apply, Condition ForAnyValue:StringEquals aws:TagKeys has x, y and the request a, b`,
      `statement 1 of the repository policy 'of the repository', Allow: applies to the caller's account, whose own policies must allow too`,
      `statement 2 of the repository policy 'of the repository', Deny: does not apply, Condition Bool aws:SecureTransport has false and the request absent`,
    ]);
  });

  it('says that nothing allows', () => {
    const [decision] = explain(requestOf({ principal: anonymous }), policiesOf({}));
    assert.equal(
      decision,
      `An anonymous caller may not perform ecr:BatchGetImage on ${REPOSITORY}: no policy of the resource allows it.`,
    );
  });
});
