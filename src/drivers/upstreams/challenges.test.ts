import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseChallenges } from './challenges.ts';

const read = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('challenges', () => {
  it('are read with their parameters', () => {
    const header = 'Bearer realm="https://auth.test/token",service="registry.test",scope="repository:a/b:pull,push"';
    const parameters = {
      realm: 'https://auth.test/token',
      service: 'registry.test',
      scope: 'repository:a/b:pull,push',
    };
    assert.deepEqual(read(header), [['bearer', parameters]]);
  });

  it('are told apart when several stand in one header', () => {
    assert.deepEqual(read('Negotiate, Basic realm="a, \\"b\\"" , BEARER Realm=https://x/y?z=1 , service = "s"'), [
      ['negotiate', {}],
      ['basic', { realm: 'a, "b"' }],
      ['bearer', { realm: 'https://x/y?z=1', service: 's' }],
    ]);
  });

  it('end where they cannot be read', () => {
    assert.deepEqual(read(''), []);
    assert.deepEqual(read('Bearer realm="never closed'), [['bearer', {}]]);
    assert.deepEqual(read('="x", Basic realm=x'), []);
    assert.deepEqual(read(`Basic ${'a,'.repeat(5000)}`).length, 5001);
  });
});
