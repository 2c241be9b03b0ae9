import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { OperationName } from '../src/protocols/aws/operation.ts';
import { caching } from '../test/output-members/caching.ts';
import { images, layers } from '../test/output-members/images.ts';
import { lifecycle } from '../test/output-members/lifecycle.ts';
import { replication } from '../test/output-members/replication.ts';
import { creationTemplates, registry, repositories } from '../test/output-members/repositories.ts';
import { scanning } from '../test/output-members/scanning.ts';
import { signing } from '../test/output-members/signing.ts';
import type { Scene } from '../test/output-members/world.ts';
import { type RunningServer, startServer } from '../test/support/server.ts';
import { ecrClient } from '../test/system/aws-client.ts';
import { gantryOn } from '../test/system/gantry-command.ts';
import { filledMembers, outputMembers, servedOperations } from './output-members.ts';
import { UNFILLED_MEMBERS } from './unfilled-members.ts';

/** A new operation needs a call in one of them, with whatever makes it fill all its members. */
const SCENES: readonly Scene[] = [
  repositories,
  creationTemplates,
  registry,
  images,
  layers,
  lifecycle,
  replication,
  caching,
  scanning,
  signing,
];

describe('the members of answers', () => {
  let server: RunningServer;
  const driven = new Set<OperationName>();
  const filled = new Set<string>();

  before(async () => {
    server = await startServer({ args: ['--pull-time-flush-seconds', '1'] });
    const ecr = ecrClient(server.url);
    const looking = { step: 'initialize', name: 'looking' } as const;
    ecr.middlewareStack.add((next, { commandName = '' }) => {
      const operation = commandName.replace(/Command$/, '') as OperationName;
      return async (request) => {
        const answer = await next(request);
        driven.add(operation);
        for (const member of filledMembers(operation, answer.output)) filled.add(member);
        return answer;
      };
    }, looking);
    const world = { server, ecr, gantry: gantryOn(server.data) };
    for (const scene of SCENES) await scene(world);
  });
  after(() => server[Symbol.asyncDispose]());

  it('are looked at for every operation that is served', () => {
    assert.deepEqual([...driven].sort(), servedOperations());
  });

  it('are all filled by something, or known not to be', () => {
    const isKnown = (member: string) =>
      Object.keys(UNFILLED_MEMBERS).some((known) => member === known || member.startsWith(`${known}.`));
    const missing = servedOperations().flatMap((name) =>
      outputMembers(name).filter((member) => !filled.has(member) && !isKnown(member)),
    );
    assert.deepEqual(missing, [], 'fill them, drive what fills them, or list them in tools/unfilled-members.ts');
  });

  it('that are known not to be filled are there, and are not', () => {
    const all = new Set(servedOperations().flatMap(outputMembers));
    for (const member of Object.keys(UNFILLED_MEMBERS)) {
      assert.ok(all.has(member), `${member} is no member of an answer`);
      assert.ok(!filled.has(member), `${member} is filled by now`);
    }
  });
});
