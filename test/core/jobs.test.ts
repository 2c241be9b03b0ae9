import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job, JobKind } from '../../src/core/jobs/job-kinds.ts';
import type { NewJob } from '../../src/core/jobs/job-records.ts';
import type { EndedJob } from '../../src/jobs/do-job.ts';
import { GiveUpError, type JobContext, type JobHandler, type JobHandlers } from '../../src/jobs/job-handler.ts';
import { startJobRunner } from '../../src/jobs/job-runner.ts';
import { type CoreUnderTest, coreUnderTest } from './core-under-test.ts';
import { type StillTimers, stillTimers } from './still-timers.ts';

const KIND = 'apply-lifecycle';
const OTHER = 'preview-lifecycle';

interface Running extends AsyncDisposable {
  readonly core: CoreUnderTest;
  readonly timers: StillTimers;
  readonly ended: (EndedJob & Pick<Job, 'kind' | 'attempts'>)[];
  readonly errors: unknown[];
  enqueue<K extends JobKind>(job: NewJob<K>): Promise<void>;
  /** Another runner on the same store, whose time is its own. */
  another(handlers: JobHandlers): AsyncDisposable & { timers: StillTimers };
  /** Begins to stop it. */
  stop(): Promise<void>;
}

/** A runner with a clock that goes as its timers do. */
async function running(handlers: JobHandlers): Promise<Running> {
  const core = await coreUnderTest();
  const { dependencies } = core;
  const timers = stillTimers((milliseconds) => core.pass(milliseconds / 1000));
  const ended: Running['ended'] = [];
  const errors: unknown[] = [];
  const start = (over: JobHandlers, with_: StillTimers) =>
    startJobRunner({
      dependencies,
      handlers: over,
      timers: with_,
      stopSeconds: 5,
      onEnded: ({ kind, attempts }, outcome) => ended.push({ kind, attempts, ...outcome }),
      onError: (error) => errors.push(error),
    });
  const runner = start(handlers, timers);
  return {
    core,
    timers,
    ended,
    errors,
    enqueue: (job) => dependencies.metadata.transaction('alone', ({ jobs }) => jobs.enqueue(job, dependencies.now())),
    another(over) {
      const own = stillTimers();
      return Object.assign(start(over, own), { timers: own });
    },
    stop,
    async [Symbol.asyncDispose]() {
      const stopped = stop();
      await timers.pass(5000);
      await stopped;
      await core[Symbol.asyncDispose]();
    },
  };

  async function stop(): Promise<void> {
    await runner[Symbol.asyncDispose]();
  }
}

function handler<K extends JobKind>(run: JobHandler<K>['run'], more: Partial<JobHandler<K>> = {}): JobHandler<K> {
  return { run, attemptsMax: 3, retrySeconds: (attempts) => attempts * 100, ...more };
}

const job = (repositoryId = 1) => ({ kind: KIND, payload: { repositoryId } }) as const;

/** A handler whose runs end when the test says so. */
function held(more: Partial<JobHandler<typeof KIND>> = {}) {
  const begun: (JobContext & { repositoryId: number; end(): void })[] = [];
  const run = ({ repositoryId }: { repositoryId: number }, context: JobContext) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    context.signal.addEventListener('abort', () => reject(context.signal.reason));
    begun.push({ ...context, repositoryId, end: resolve });
    return promise;
  };
  return { begun, handler: handler<typeof KIND>(run, more) };
}

test('a job is done soon after it was enqueued, with what it was told, and then forgotten', async () => {
  const seen: unknown[] = [];
  await using runner = await running({
    [KIND]: handler(async (payload, { attempts }) => void seen.push([payload, attempts])),
  });
  await runner.timers.pass(10_000);
  await runner.enqueue(job(7));
  await runner.timers.pass(300);
  assert.deepEqual(seen, [[{ repositoryId: 7 }, 1]]);
  assert.deepEqual(runner.ended, [{ kind: KIND, attempts: 1, outcome: 'done' }]);
  assert.deepEqual(await runner.core.dependencies.metadata.read.jobs.counts(), []);
});

test('what waits is done without a pause, as many at a time as the handler says', async () => {
  const { begun, handler: two } = held({ atOnceMax: 2 });
  await using runner = await running({ [KIND]: two });
  for (const id of [1, 2, 3, 4, 5]) await runner.enqueue(job(id));
  await runner.timers.pass(300);
  assert.deepEqual(
    begun.map(({ repositoryId }) => repositoryId),
    [1, 2],
  );
  await runner.timers.pass(10_000);
  assert.equal(begun.length, 2);
  begun[1]!.end();
  await runner.timers.pass(0);
  assert.deepEqual(
    begun.map(({ repositoryId }) => repositoryId),
    [1, 2, 3],
  );
  begun[0]!.end();
  begun[2]!.end();
  await runner.timers.pass(0);
  assert.equal(begun.length, 5);
});

test('a long job of one kind holds up no other kind', async () => {
  const { begun, handler: long } = held();
  let others = 0;
  await using runner = await running({ [KIND]: long, [OTHER]: handler(async () => void others++) });
  for (let id = 0; id < 3; id++) {
    await runner.enqueue(job(id));
    await runner.enqueue({ kind: OTHER, payload: { repositoryId: id, previewId: '' } });
  }
  await runner.timers.pass(300);
  assert.deepEqual([begun.length, others], [1, 3]);
});

test('a job of a kind that this server does not know stays in the queue', async () => {
  await using runner = await running({ [OTHER]: handler(async () => {}) });
  await runner.enqueue(job());
  await runner.timers.pass(60_000);
  assert.deepEqual(await runner.core.dependencies.metadata.read.jobs.counts(), [{ kind: KIND, waiting: 1, dead: 0 }]);
});

test('a job that fails is tried again later and later, then given up with its last error', async () => {
  const times: number[] = [];
  await using runner = await running({
    [KIND]: handler(async () => {
      times.push(runner.core.dependencies.now().getTime() / 1000);
      throw new Error(`number ${times.length}`);
    }),
  });
  await runner.enqueue(job());
  await runner.timers.pass(600_000);
  const waits = times.slice(1).map((time, index) => time - times[index]!);
  assert.equal(waits.length, 2);
  for (const [index, wait] of waits.entries()) {
    const wanted = 100 * (index + 1);
    assert.ok(wait >= wanted * 0.75 && wait < wanted * 1.25 + 0.3, `${wait} after ${index + 1} attempts`);
  }
  assert.deepEqual(
    runner.ended.map(({ outcome }) => outcome),
    ['retried', 'retried', 'given-up'],
  );
  assert.deepEqual(
    runner.ended.map(({ error }) => (error as Error).message),
    ['number 1', 'number 2', 'number 3'],
  );
  const [dead] = await runner.core.dependencies.metadata.read.jobs.dead(KIND, 0, 10);
  assert.deepEqual([dead?.attempts, dead?.lastError], [3, 'number 3']);
});

test('what another attempt cannot mend is given up at once', async () => {
  await using runner = await running({
    [KIND]: handler(async () => {
      throw new GiveUpError('gone');
    }),
  });
  await runner.enqueue(job());
  await runner.timers.pass(300);
  assert.deepEqual(
    runner.ended.map(({ outcome }) => outcome),
    ['given-up'],
  );
});

test('a job is held as long as it takes: no other server begins it', async () => {
  const mine = held();
  const theirs = held();
  await using runner = await running({ [KIND]: mine.handler });
  await using another = runner.another({ [KIND]: theirs.handler });
  await runner.enqueue(job());
  await runner.timers.pass(300);
  for (let minute = 0; minute < 10; minute++) {
    await runner.timers.pass(60_000);
    await another.timers.pass(60_000);
  }
  assert.deepEqual([mine.begun.length, theirs.begun.length], [1, 0]);
  mine.begun[0]!.end();
  await runner.timers.pass(0);
  assert.deepEqual(
    runner.ended.map(({ outcome }) => outcome),
    ['done'],
  );
});

test('a job whose server is silent for 20 seconds is another one’s, and the first is told to end it', async () => {
  const mine = held();
  const theirs = held();
  await using runner = await running({ [KIND]: mine.handler });
  await using another = runner.another({ [KIND]: theirs.handler });
  await runner.enqueue(job());
  await runner.timers.pass(300);
  runner.core.pass(21);
  await another.timers.pass(300);
  assert.deepEqual([theirs.begun.length, theirs.begun[0]?.attempts], [1, 2]);
  assert.equal(mine.begun[0]!.signal.aborted, false);
  await runner.timers.pass(5000);
  assert.equal(mine.begun[0]!.signal.aborted, true);
  assert.deepEqual(
    runner.ended.map(({ outcome }) => outcome),
    ['lost'],
  );
  theirs.begun[0]!.end();
  await another.timers.pass(0);
  assert.deepEqual(
    runner.ended.map(({ outcome }) => outcome),
    ['lost', 'done'],
  );
});

test('a job that ends its server each time is given up, not begun for ever', async () => {
  const { begun, handler: deadly } = held();
  await using runner = await running({ [KIND]: deadly });
  const { metadata, now } = runner.core.dependencies;
  await runner.enqueue(job());
  for (let attempt = 0; attempt < 3; attempt++) {
    await metadata.transaction('alone', ({ jobs }) => jobs.claim(KIND, { leaseId: 'killed', until: now() }, now(), 1));
  }
  await runner.timers.pass(300);
  assert.deepEqual([begun.length, runner.ended[0]?.outcome], [0, 'given-up']);
});

test('stopping ends jobs between two of their steps and puts them back for whoever comes first', async () => {
  const { begun, handler: long } = held({ atOnceMax: 2 });
  await using runner = await running({ [KIND]: long });
  for (const id of [1, 2, 3]) await runner.enqueue(job(id));
  await runner.timers.pass(300);
  await runner.stop();
  assert.deepEqual(
    begun.map(({ signal }) => signal.aborted),
    [true, true],
  );
  assert.deepEqual(
    runner.ended.map(({ outcome }) => outcome),
    ['put-back', 'put-back'],
  );
  const next = held({ atOnceMax: 9 });
  await using another = runner.another({ [KIND]: next.handler });
  await another.timers.pass(0);
  assert.deepEqual(
    next.begun.map(({ repositoryId, attempts }) => [repositoryId, attempts]),
    [
      [1, 1],
      [2, 1],
      [3, 1],
    ],
  );
});

test('stopping waits for a job that does not end no longer than it may, and puts it back all the same', async () => {
  const { promise: never } = Promise.withResolvers<void>();
  const runner = await running({ [KIND]: handler(() => never) });
  await runner.enqueue(job());
  await runner.timers.pass(300);
  let isStopped = false;
  const stopped = runner.stop().then(() => {
    isStopped = true;
  });
  await runner.timers.pass(4999);
  assert.equal(isStopped, false);
  await runner.timers.pass(1);
  await stopped;
  const { metadata, now } = runner.core.dependencies;
  assert.deepEqual(await metadata.read.jobs.dueKinds([KIND], now()), [KIND]);
  await runner.core[Symbol.asyncDispose]();
});

test('a store that fails is told of once, and asked again until it answers', async () => {
  let done = 0;
  await using runner = await running({ [KIND]: handler(async () => void done++) });
  const { jobs } = runner.core.dependencies.metadata.read;
  await runner.enqueue(job());
  const { dueKinds } = jobs;
  Object.assign(jobs, { dueKinds: () => Promise.reject(new Error('disk')) });
  await runner.timers.pass(3000);
  assert.deepEqual([runner.errors.length, done], [1, 0]);
  Object.assign(jobs, { dueKinds });
  await runner.timers.pass(300);
  assert.deepEqual([runner.errors.length, done], [1, 1]);
});
