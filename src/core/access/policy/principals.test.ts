import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { alice, anonymous, builder, OWN, ROLE, root } from '../../../../test/oracle/policy-under-test.ts';
import { principalContext } from './principals.ts';

describe('condition keys of a principal', () => {
  it('of a user', () => {
    assert.deepEqual(Object.fromEntries(principalContext(alice)), {
      'aws:principaltype': 'User',
      'aws:principalarn': alice.arn,
      'aws:principalaccount': OWN,
      'aws:userid': 'AIDAALICE',
      'aws:username': 'alice',
    });
  });

  it('of an assumed role: the ARN is the role’s, and there is no user name', () => {
    const { roleArn: _, ...withoutRole } = builder;
    assert.equal(principalContext(builder).get('aws:principalarn'), ROLE);
    assert.equal(principalContext(withoutRole).get('aws:principalarn'), `arn:aws:iam::${OWN}:role/Builder`);
    assert.equal(principalContext(builder).get('aws:principaltype'), 'AssumedRole');
    assert.equal(principalContext(builder).has('aws:username'), false);
  });

  it('of the root', () => assert.equal(principalContext(root).get('aws:principaltype'), 'Account'));

  it('of an anonymous caller: nothing but the type', () => {
    assert.deepEqual(Object.fromEntries(principalContext(anonymous)), { 'aws:principaltype': 'Anonymous' });
  });
});
