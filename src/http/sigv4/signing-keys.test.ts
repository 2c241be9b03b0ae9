import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SignedRequest } from './signed-request.ts';
import { SigningKeys } from './signing-keys.ts';

const signedBy = (accessKeyId: string) =>
  ({ accessKeyId, scope: { date: '20150830', region: 'us-east-1', service: 'iam' } }) as SignedRequest;

describe('signing keys', () => {
  it('are derived as the example in the IAM user guide', () => {
    const key = new SigningKeys(1).keyFor(signedBy('A'), 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY');
    assert.equal(key.toString('hex'), 'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9');
  });

  it('are kept for the secret they came from, and no more of them than told', () => {
    const keys = new SigningKeys(2);
    for (const id of ['A', 'B', 'C']) keys.keep(signedBy(id), 'secret', keys.keyFor(signedBy(id), 'secret'));
    assert.equal(keys.size, 2);
    const known = keys.keyFor(signedBy('C'), 'secret');
    assert.equal(keys.keyFor(signedBy('C'), 'secret'), known);
    assert.notDeepEqual(keys.keyFor(signedBy('C'), 'other'), known);
  });
});
