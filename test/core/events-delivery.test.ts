import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { createSecretBox } from '../../src/core/access/secret-box.ts';
import { createEventDelivery } from '../../src/core/events/event-delivery.ts';
import { type Delivery, DeliveryError, type EventSender } from '../../src/core/events/event-sender.ts';
import { createEventTargets, type EventTargets } from '../../src/core/events/event-targets.ts';
import { deliverEvent } from '../../src/jobs/deliver-event.ts';
import { type CoreUnderTest, call, coreUnderTest, registry } from './core-under-test.ts';
import { doDueJobs } from './due-jobs.ts';
import { pushedImage } from './manifests.ts';

interface World extends AsyncDisposable {
  readonly core: CoreUnderTest;
  readonly targets: EventTargets;
  /** What was sent, whatever came of it. */
  readonly sent: Delivery[];
  /** What sending comes to from now on; by default all is well. */
  answer: (delivery: Delivery) => string | DeliveryError;
  add(name: string, settings?: Record<string, string>): Promise<unknown>;
  /** Does the deliveries that are due. @returns what came of each */
  deliver(): Promise<string[]>;
  /** A target's jobs that wait and that were given up. */
  counts(): Promise<[waiting: number, dead: number]>;
}

async function world(): Promise<World> {
  const core = await coreUnderTest();
  const { dependencies } = core;
  const box = createSecretBox(randomBytes(32), dependencies.randomBytes);
  const sent: Delivery[] = [];
  const sender: EventSender = {
    async send(delivery) {
      sent.push(delivery);
      const answer = made.answer(delivery);
      if (answer instanceof DeliveryError) throw answer;
      return answer;
    },
  };
  const delivery = createEventDelivery(dependencies, box, { webhook: sender, file: sender, eventbridge: sender });
  const targets = createEventTargets(dependencies, box);
  const made: World = {
    core,
    targets,
    sent,
    answer: () => 'well',
    add: (name, settings = {}) =>
      targets.put(
        { name, kind: 'webhook', settings: { url: name, ...settings }, secret: `of ${name}` },
        { replace: false },
      ),
    async deliver() {
      const ended = await doDueJobs(core, { 'deliver-event': deliverEvent(delivery) });
      return ended.map(({ outcome }) => outcome);
    },
    async counts() {
      const counts = await dependencies.metadata.read.jobs.counts();
      const { waiting = 0, dead = 0 } = counts.find(({ kind }) => kind === 'deliver-event') ?? {};
      return [waiting, dead];
    },
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
  return made;
}

const failed = () => new DeliveryError('it answered 503');
const tagsSent = ({ sent }: World) => sent.map(({ event }) => event.detail['image-tag']);
const HOURS = 3600;

describe('the delivery of events', () => {
  it('brings each to every target, with its secret', async () => {
    await using w = await world();
    for (const name of ['a', 'b']) await w.add(name);
    const { digest } = await pushedImage(w.core, 'one', 'x', 'v1');
    assert.deepEqual(await w.deliver(), ['done', 'done']);
    assert.deepEqual(
      w.sent.map(({ settings, secret, attempt }) => [settings.url, secret, attempt]),
      [
        ['a', 'of a', 1],
        ['b', 'of b', 1],
      ],
    );
    const [{ event }, other] = w.sent as [Delivery, Delivery];
    assert.deepEqual(event, other.event);
    assert.deepEqual([event.account, event.region], [registry.accountId, registry.region]);
    assert.equal(event.detail['image-digest'], digest);
    assert.deepEqual(await w.counts(), [0, 0]);
  });

  it('begins with what happens after a target was added, and keeps nothing without one', async () => {
    await using w = await world();
    await pushedImage(w.core, 'one', 'x', 'v1');
    assert.deepEqual(await w.counts(), [0, 0]);
    await w.add('a');
    await pushedImage(w.core, 'one', 'x', 'v2');
    await w.deliver();
    assert.deepEqual(tagsSent(w), ['v2']);
  });

  it('makes no job for what a target does not want', async () => {
    await using w = await world();
    await w.add('a', { repositories: 'tw*' });
    await w.add('b', { detailTypes: 'ECR Referrer Action' });
    await w.add('c', { accounts: '999999999999' });
    await pushedImage(w.core, 'one', 'x', 'v1');
    assert.deepEqual(await w.counts(), [0, 0]);
    await pushedImage(w.core, 'two', 'x', 'v2');
    assert.deepEqual(await w.counts(), [1, 0]);
  });

  it('tells of each tag that a deletion takes', async () => {
    await using w = await world();
    const { digest } = await pushedImage(w.core, 'one', 'x', 'v1');
    await pushedImage(w.core, 'one', 'x', 'v2');
    await w.add('a');
    await w.core.images.deleteMany(call, { repositoryName: 'one', imageIds: [{ imageDigest: digest }] });
    await w.deliver();
    assert.deepEqual(
      w.sent.map(({ event: { detail } }) => [detail['action-type'], detail['image-tag'], detail['image-digest']]),
      [
        ['DELETE', 'v1', digest],
        ['DELETE', 'v2', digest],
      ],
    );
  });

  it('repeats one under the same id until it is taken', async () => {
    await using w = await world();
    await w.add('a');
    await pushedImage(w.core, 'one', 'x', 'v1');
    w.answer = failed;
    for (const seconds of [0, 3, 5, 10]) {
      w.core.pass(seconds);
      assert.deepEqual(await w.deliver(), ['retried']);
      assert.deepEqual(await w.deliver(), []);
    }
    w.answer = () => 'well';
    w.core.pass(20);
    assert.deepEqual(await w.deliver(), ['done']);
    assert.deepEqual(
      w.sent.map(({ attempt }) => attempt),
      [1, 2, 3, 4, 5],
    );
    assert.equal(new Set(w.sent.map(({ event }) => event.id)).size, 1);
  });

  it('holds up no later event, and no other target, behind one that fails', async () => {
    await using w = await world();
    for (const name of ['a', 'b']) await w.add(name);
    await pushedImage(w.core, 'one', 'x', 'v1');
    w.answer = ({ settings, event }) =>
      settings.url === 'a' && event.detail['image-tag'] === 'v1' ? failed() : 'well';
    assert.deepEqual((await w.deliver()).toSorted(), ['done', 'retried']);
    await pushedImage(w.core, 'one', 'x', 'v2');
    assert.deepEqual(await w.deliver(), ['done', 'done']);
    w.answer = () => 'well';
    w.core.pass(3);
    assert.deepEqual(await w.deliver(), ['done']);
    assert.deepEqual(tagsSent(w).slice(-1), ['v1']);
  });

  it('catches up after a target, or the server, was away for hours', async () => {
    await using w = await world();
    await w.add('a');
    w.answer = failed;
    for (const tag of ['v1', 'v2', 'v3']) await pushedImage(w.core, 'one', tag, tag);
    for (let time = 0; time < 6; time++) {
      await w.deliver();
      w.core.pass(2 * HOURS);
    }
    w.answer = () => 'well';
    w.sent.length = 0;
    assert.deepEqual(await w.deliver(), ['done', 'done', 'done']);
    assert.deepEqual(tagsSent(w).toSorted(), ['v1', 'v2', 'v3']);
  });

  it('gives up after a day, not before', async () => {
    await using w = await world();
    await w.add('a');
    await pushedImage(w.core, 'one', 'x', 'v1');
    w.answer = failed;
    let minutes = 0;
    while ((await w.counts())[1] === 0) {
      await w.deliver();
      w.core.pass(60);
      minutes += 1;
    }
    assert.ok(minutes > 18 * 60 && minutes < 32 * 60, `${minutes} minutes`);
    const [dead] = await w.core.dependencies.metadata.read.jobs.dead('deliver-event', 0, 10);
    assert.equal(dead?.lastError, 'it answered 503');
  });

  it('gives up at once what would fail the same way again, and tries it anew when told to', async () => {
    await using w = await world();
    await w.add('a');
    await pushedImage(w.core, 'one', 'x', 'v1');
    w.answer = () => new DeliveryError('it answered 410', { isFinal: true });
    assert.deepEqual(await w.deliver(), ['given-up']);
    assert.deepEqual(await w.counts(), [0, 1]);
    const { metadata, now } = w.core.dependencies;
    const [dead] = await metadata.read.jobs.dead('deliver-event', 0, 10);
    w.answer = () => 'well';
    assert.ok(await metadata.transaction('alone', ({ jobs }) => jobs.revive(dead!.id, now())));
    assert.deepEqual(await w.deliver(), ['done']);
    assert.deepEqual(await w.counts(), [0, 0]);
  });

  it('asks a target that does not answer for one event at a time', async () => {
    await using w = await world();
    await w.add('a');
    for (const tag of ['v1', 'v2', 'v3']) await pushedImage(w.core, 'one', tag, tag);
    const box = createSecretBox(randomBytes(32), randomBytes);
    const waiting: PromiseWithResolvers<string>[] = [];
    const send = () => {
      const answer = Promise.withResolvers<string>();
      waiting.push(answer);
      return answer.promise;
    };
    const { metadata } = w.core.dependencies;
    await w.targets.remove('a');
    const unsealed = { name: 'a', kind: 'webhook', settings: {}, createdAt: new Date(0) } as const;
    await metadata.transaction('alone', ({ events }) => events.putTarget(unsealed));
    const delivery = createEventDelivery(w.core.dependencies, box, {
      webhook: { send },
      file: { send },
      eventbridge: { send },
    });
    const [first, second, third] = (await metadata.read.events.after(0, 3)).map(({ id }) => id);
    const deliver = (eventId = 0) =>
      delivery.deliver({ eventId, target: 'a' }, { signal: new AbortController().signal, attempts: 1 });
    const begun = async (count: number) => {
      while (waiting.length < count) await new Promise((resolve) => setImmediate(resolve));
    };
    const silence = () => new DeliveryError('no answer', { isSilence: true });
    const one = assert.rejects(deliver(first), /no answer/);
    await begun(1);
    waiting[0]!.reject(silence());
    await one;
    const probe = deliver(second);
    await begun(2);
    await assert.rejects(deliver(third), { name: 'DeliveryError', message: /^not tried/, isFinal: false });
    waiting[1]!.resolve('well');
    await probe;
    const two = [deliver(first), deliver(third)];
    await begun(4);
    for (const answer of waiting) answer.resolve('well');
    await Promise.all(two);
  });
});

describe('a target of events', () => {
  it('is told of nothing any more once it is removed, and what was given up is forgotten', async () => {
    await using w = await world();
    for (const name of ['a', 'b']) await w.add(name);
    await pushedImage(w.core, 'one', 'x', 'v1');
    w.answer = () => new DeliveryError('gone', { isFinal: true });
    await w.deliver();
    await pushedImage(w.core, 'one', 'x', 'v2');
    assert.deepEqual(await w.counts(), [2, 2]);
    assert.equal(await w.targets.remove('a'), 1);
    w.answer = () => 'well';
    w.sent.length = 0;
    assert.deepEqual(await w.deliver(), ['done', 'done']);
    assert.deepEqual(
      w.sent.map(({ settings }) => settings.url),
      ['b'],
    );
    assert.deepEqual(await w.counts(), [0, 1]);
    await assert.rejects(w.targets.remove('a'), { name: 'EventTargetError', message: /no target 'a'/ });
  });

  it('does not get what was meant for one of its name before it', async () => {
    await using w = await world();
    await w.add('a');
    await pushedImage(w.core, 'one', 'x', 'v1');
    await w.targets.remove('a');
    w.core.pass(1);
    await w.add('a');
    await pushedImage(w.core, 'one', 'x', 'v2');
    await w.deliver();
    assert.deepEqual(tagsSent(w), ['v2']);
  });

  it('can be replaced: it keeps what waits for it, and its secret unless another is given', async () => {
    await using w = await world();
    await w.add('a');
    await pushedImage(w.core, 'one', 'x', 'v1');
    w.core.pass(1);
    const replaced = { name: 'a', kind: 'webhook', settings: { url: 'elsewhere' } } as const;
    await assert.rejects(w.targets.put(replaced, { replace: false }), { message: /There is a target 'a' already/ });
    const { createdAt } = await w.targets.put(replaced, { replace: true });
    assert.deepEqual((await w.targets.get('a')).createdAt, createdAt);
    await w.deliver();
    await w.targets.put({ ...replaced, secret: 'another' }, { replace: true });
    await pushedImage(w.core, 'one', 'x', 'v2');
    await w.deliver();
    assert.deepEqual(
      w.sent.map(({ settings, secret }) => [settings.url, secret]),
      [
        ['elsewhere', 'of a'],
        ['elsewhere', 'another'],
      ],
    );
  });

  it('keeps its secret sealed, for itself alone', async () => {
    await using w = await world();
    await w.add('a');
    const [target] = await w.targets.list();
    assert.ok(!Buffer.from(target!.sealedSecret!).includes('of a'));
    const stolen = { ...target!, name: 'b' };
    await w.core.dependencies.metadata.transaction('alone', ({ events }) => events.putTarget(stolen));
    await pushedImage(w.core, 'one', 'x', 'v1');
    assert.deepEqual((await w.deliver()).toSorted(), ['done', 'retried']);
    assert.deepEqual(
      w.sent.map(({ secret }) => secret),
      ['of a'],
    );
    const other = createEventTargets(w.core.dependencies, createSecretBox(randomBytes(32), randomBytes));
    const added = { name: 'c', kind: 'webhook', settings: {}, secret: 'another' } as const;
    await assert.rejects(other.put(added, { replace: false }), { name: 'EventTargetError', message: /--key-file/ });
  });

  it('has a name that a command line can say, and not too many beside it', async () => {
    await using w = await world();
    for (const name of ['', '-a', 'a b', 'a/b', 'x'.repeat(65)]) {
      await assert.rejects(w.add(name), { name: 'EventTargetError', message: /is no name for a target/ });
    }
    for (let at = 0; at < 20; at++) await w.add(`target-${at}`);
    await assert.rejects(w.add('one-more'), { message: 'There are 20 targets, which is as many as there may be' });
    await assert.rejects(w.targets.get('none'), { message: /no target 'none'/ });
  });
});
