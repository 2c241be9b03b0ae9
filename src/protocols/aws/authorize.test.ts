import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caller } from '../../core/access/caller.ts';
import type { RequestFacts } from '../../core/access/request-facts.ts';
import { RefusedError } from '../../core/errors.ts';
import type { AuditNotes } from './audit.ts';
import { authorizeOperation } from './authorize.ts';
import type { ImplementedOperation } from './operations.ts';

const client = { sourceIp: '192.0.2.1', isSecure: true, host: undefined };
const caller: Caller = {
  kind: 'user',
  accountId: '444455556666',
  arn: 'arn:aws:iam::444455556666:user/a',
  userId: 'A',
};
const call = (accountId: string, kind: Caller['kind'] = 'user') => ({
  caller: { ...caller, kind },
  registry: { accountId, region: 'us-east-1' },
});

test('every action is asked for on every resource, with the facts of the request', async () => {
  const asked: [string, RequestFacts | undefined][] = [];
  const authorizer = {
    async authorize(_caller: Caller, { action, resource }: { action: string; resource: string }, facts?: RequestFacts) {
      asked.push([`${action} ${resource}`, facts]);
      return `by ${resource}`;
    },
  };
  const operation: ImplementedOperation = {
    action: 'ecr:CreateRepository',
    alsoNeeds: () => ['ecr:TagResource'],
    resources: () => ['x', 'y'],
    facts: () => ({ tagKeys: ['k'] }),
    run: async () => ({}),
  };
  const notes: AuditNotes = {};
  await authorizeOperation(authorizer, operation, call('444455556666'), { input: {}, client, notes });
  const facts = { sourceIp: '192.0.2.1', isSecure: true, tagKeys: ['k'] };
  assert.deepEqual(
    asked,
    ['x', 'y'].flatMap((resource) =>
      ['ecr:CreateRepository', 'ecr:TagResource'].map((action) => [`${action} ${resource}`, facts]),
    ),
  );
  assert.equal(notes.decision, 'by x; by y');
  assert.deepEqual(notes.resources, ['x', 'y']);
});

test('what belongs to a whole registry is its own account’s alone, whatever the identity’s policies say', async () => {
  const authorizer = { authorize: async () => 'allowed' };
  const operation: ImplementedOperation = {
    action: 'ecr:DescribePullThroughCacheRules',
    resources: () => ['*'],
    run: async () => ({}),
  };
  const attempt = (...of: Parameters<typeof call>) =>
    authorizeOperation(authorizer, operation, call(...of), { input: {}, client, notes: {} });
  await attempt('444455556666');
  await attempt('111122223333', 'open');
  await assert.rejects(attempt('111122223333'), (error) => {
    assert.ok(error instanceof RefusedError && error.refusal.kind === 'access-denied');
    assert.match(error.message, /on resource: \* because no resource-based policy allows/);
    return true;
  });
});
