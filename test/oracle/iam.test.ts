import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Decision, evaluate } from '../../src/core/access/policy/evaluate.ts';
import type { PolicyRequest } from '../../src/core/access/policy/trace.ts';
import { differences } from './differences.ts';
import { randomPolicies, randomRequest } from './generated-policies.ts';
import {
  alice,
  anonymous,
  builder,
  type PolicyDrafts,
  policiesOf,
  REPOSITORY,
  requestOf,
  root,
  variable,
} from './policy-under-test.ts';
import { randomSource } from './random-source.ts';
import { type Simulated, simulate } from './simulator.ts';

const ROUNDS = 3_000;
const VERSION = '2012-10-17';

/** The simulator is a development dependency with a licence of its own: it is asked here, and never shipped. */
describe('the IAM simulator', () => {
  it(`agrees on ${ROUNDS} generated policies and requests, once it is told the differences`, async () => {
    const random = randomSource(20_261_122);
    const seen: Record<Simulated['result'], number> = { Allowed: 0, ExplicitlyDenied: 0, ImplicitlyDenied: 0 };
    for (let round = 0; round < ROUNDS; round += 1) {
      const request = requestOf(randomRequest(random));
      const drafts = randomPolicies(random);
      const version = random.once(6) ? '2008-10-17' : VERSION;
      const { ours, theirs } = await compare(request, drafts, version);
      assert.equal(
        ours,
        theirs,
        `round ${round}: ${JSON.stringify({ ...request, context: [...request.context], drafts, version })}`,
      );
      seen[ours] += 1;
    }
    for (const [result, times] of Object.entries(seen)) assert.ok(times > ROUNDS / 20, `${result} ${times} times`);
  });

  const TAGS = { context: { 'aws:TagKeys': ['a'] }, action: 'ecr:TagResource' };
  const conditional = (operator: string, key: string, value: string) => ({
    identity: [{ Action: 'ecr:*', Condition: { [operator]: { [key]: [value] } } }],
  });
  const examples: readonly (readonly [
    request: Parameters<typeof requestOf>[0],
    drafts: PolicyDrafts,
    version?: string,
  ])[] = [
    [{ principal: anonymous }, { registry: [{ Principal: '*', Action: '*', Resource: '*' }] }],
    [{ principal: root }, {}],
    [{ action: 'ecr:GetAuthorizationToken', resource: '*' }, { repository: [{ Principal: '*', Action: '*' }] }],
    [{}, { identity: [{}], repository: [{ Effect: 'Deny', NotPrincipal: { AWS: [alice.accountId] } }] }],
    [
      { resource: REPOSITORY.replace('team', 'alice') },
      { identity: [{ Resource: `arn:aws:ecr:*:*:repository/${variable('aws:username')}/*` }] },
      '2008-10-17',
    ],
    [
      { principal: builder, action: 'ecr:GetAuthorizationToken', resource: '*' },
      {
        identity: [
          { Action: '*', NotResource: [`arn:aws:ecr:*:*:repository/${variable('aws:username')}`, REPOSITORY] },
        ],
      },
    ],
    [{}, conditional('ForAnyValue:StringEqualsIfExists', 'aws:TagKeys', 'a')],
    [{ ...TAGS, context: { 'aws:TagKeys': [] } }, conditional('Null', 'aws:TagKeys', 'true')],
    [TAGS, conditional('StringEquals', 'aws:TagKeys', 'a')],
    [{ context: { 'aws:SourceIp': '10.1.2.3' } }, conditional('IpAddress', 'aws:SourceIp', '0.0.0.0/0')],
    [{ context: { 'aws:SourceIp': '2001:db8::5' } }, conditional('NotIpAddress', 'aws:SourceIp', '192.0.2.9')],
  ];
  for (const [index, { name, why }] of differences.entries()) {
    it(`differs: ${name}`, async () => {
      const [request, drafts, version = VERSION] = examples[index]!;
      const untold = await compare(requestOf(request), drafts, version, []);
      assert.notEqual(untold.ours, untold.theirs, `no difference is left, so this exception can go: ${why}`);
      const told = await compare(requestOf(request), drafts, version);
      assert.equal(told.ours, told.theirs);
    });
  }
});

async function compare(request: PolicyRequest, drafts: PolicyDrafts, version: string, told = differences) {
  const rewritten = told.reduce((changed, { tell }) => tell(changed, request, version), drafts);
  const { result, ignoredKeys } = await simulate(request, rewritten, version);
  // Keys that AWS would not give to this action are none to ours either.
  const context = new Map([...request.context].filter(([key]) => !ignoredKeys.includes(key)));
  const decision = evaluate({ ...request, context }, policiesOf(drafts, version));
  return { ours: resultOf(decision), theirs: await limited(request, rewritten, version, result) };
}

/**
 * Session policies must allow besides, whatever else allows. AWS lets a resource policy that names the session itself past them;
 * to us they limit what a token can do, so they limit that too. The simulator is asked for them alone, as an identity policy.
 */
async function limited(request: PolicyRequest, drafts: PolicyDrafts, version: string, result: Simulated['result']) {
  if (!drafts.session) return result;
  const own = { ...request, principal: alice, resourceAccountId: alice.accountId };
  const session = await simulate(own, { identity: drafts.session }, version);
  if (session.result === 'ExplicitlyDenied' || result === 'ExplicitlyDenied') return 'ExplicitlyDenied';
  return session.result === 'Allowed' ? result : 'ImplicitlyDenied';
}

function resultOf({ allowed, reason }: Decision): Simulated['result'] {
  if (allowed) return 'Allowed';
  return reason === 'explicit-deny' ? 'ExplicitlyDenied' : 'ImplicitlyDenied';
}
