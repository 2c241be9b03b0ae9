import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failPreview, previewLifecycle } from '../../src/core/lifecycle/preview-lifecycle.ts';
import type { Records, WorkScope } from '../../src/core/metadata-store.ts';
import { previewLifecycleJob } from '../../src/jobs/lifecycle-jobs.ts';
import { randomSource } from '../oracle/random-source.ts';
import { call, kindOf } from './core-under-test.ts';
import { doDueJobs } from './due-jobs.ts';
import {
  any,
  archive,
  archivedBefore,
  expire,
  moreThan,
  pulledBefore,
  pushedBefore,
  rule,
  tagged,
  untagged,
} from './lifecycle-rules.ts';
import { DAY_SECONDS, type LifecycleWorld, lifecycleWorld, repositoryName } from './lifecycle-world.ts';
import { randomWorld } from './random-images.ts';

const all = { repositoryName, tagStatus: 'ANY', after: 0, limit: 10_000 } as const;
const keepOne = JSON.stringify({ rules: [rule(1, { ...any, ...moreThan(1) })] });

describe('a preview of a lifecycle policy', () => {
  it('is of the images when it is made, and is gone after a day', async () => {
    await using world = await lifecycleWorld();
    const { lifecycle } = world;
    const old = await world.push('a', { tags: ['a'] });
    await world.push('b');
    await lifecycle.startPreview(call, { repositoryName, document: keepOne });
    const waiting = { document: keepOne, status: 'IN_PROGRESS', expiring: 0, transitioning: 0, images: [] };
    assert.deepEqual(await lifecycle.getPreview(call, all), waiting);
    await doDueJobs(world, world.handlers);
    await world.push('c');
    const complete = await lifecycle.getPreview(call, all);
    assert.partialDeepStrictEqual(complete, { status: 'COMPLETE', expiring: 1, transitioning: 0 });
    assert.partialDeepStrictEqual(complete.images, [
      { position: 1, digest: old.digest, tags: ['a'], action: 'EXPIRE' },
    ]);
    world.pass(DAY_SECONDS - 2);
    assert.equal((await lifecycle.getPreview(call, all)).status, 'COMPLETE');
    world.pass(1);
    assert.deepEqual(await lifecycle.getPreview(call, all), { ...waiting, status: 'EXPIRED' });
    assert.equal(await kindOf(lifecycle.startPreview(call, { repositoryName, document: keepOne })), 'none');
  });

  it('is left as it is by a server that comes too late with the same', async () => {
    await using world = await lifecycleWorld();
    const { metadata } = world.dependencies;
    await world.push('a');
    await world.push('b');
    await world.lifecycle.startPreview(call, { repositoryName, document: keepOne });
    const { id: previewId } = (await metadata.read.lifecycle.preview(world.repositoryId))!;
    const job = { repositoryId: world.repositoryId, previewId };
    const lost = new AbortController();
    let begun = false;
    const late = {
      ...metadata,
      async transaction<T>(about: WorkScope, work: (records: Records) => Promise<T>): Promise<T> {
        if (!begun) await previewLifecycle(world.dependencies, job);
        begun = true;
        const done = await metadata.transaction(about, work);
        lost.abort();
        return done;
      },
    };
    const { signal } = lost;
    await previewLifecycle({ ...world.dependencies, metadata: late }, job, { signal }).catch(() => {});
    const preview = await world.lifecycle.getPreview(call, all);
    assert.deepEqual([preview.status, preview.images.length], ['COMPLETE', 1]);
  });

  it('takes the place of the last with all its images, however many', async () => {
    await using world = await lifecycleWorld();
    for (let count = 0; count < 1200; count++) await world.push(String(count));
    const preview = async (document: object) => {
      await world.lifecycle.startPreview(call, { repositoryName, document: JSON.stringify(document) });
      await doDueJobs(world, world.handlers);
      return world.lifecycle.getPreview(call, all);
    };
    const first = await preview({ rules: [rule(1, { ...any, ...moreThan(1) })] });
    assert.equal(first.images.length, 1199);
    assert.deepEqual(
      first.images.map(({ position }) => position),
      Array.from({ length: 1199 }, (_, index) => index + 1),
    );
    const second = await preview({ rules: [rule(1, { ...any, ...moreThan(1195) })] });
    assert.deepEqual([second.expiring, second.images.length], [5, 5]);
  });

  it('that ended, failed or was replaced is not made again', async () => {
    await using world = await lifecycleWorld();
    const { lifecycle, dependencies, repositoryId } = world;
    const previewId = async () => (await dependencies.metadata.read.lifecycle.preview(repositoryId))?.id ?? '';
    await world.push('a');
    await world.push('b');
    await lifecycle.startPreview(call, { repositoryName, document: keepOne });
    const failed = { repositoryId, previewId: await previewId() };
    assert.equal(await kindOf(lifecycle.startPreview(call, { repositoryName })), 'lifecycle-policy-not-found');
    const again = () => lifecycle.startPreview(call, { repositoryName, document: keepOne });
    assert.equal(await kindOf(again()), 'lifecycle-preview-in-progress');
    await failPreview(dependencies, failed);
    await previewLifecycle(dependencies, failed);
    assert.partialDeepStrictEqual(await lifecycle.getPreview(call, all), { status: 'FAILED', images: [] });
    await again();
    await previewLifecycle(dependencies, failed);
    assert.equal((await lifecycle.getPreview(call, all)).status, 'IN_PROGRESS');
    await doDueJobs(world, world.handlers);
    assert.equal((await lifecycle.getPreview(call, all)).images.length, 1);
  });

  it('that cannot be made fails with the last attempt, and not when the server stops', async () => {
    await using world = await lifecycleWorld();
    const { lifecycle, dependencies, repositoryId } = world;
    const { metadata } = dependencies;
    await lifecycle.startPreview(call, { repositoryName, document: keepOne });
    const { id: previewId = '' } = (await metadata.read.lifecycle.preview(repositoryId)) ?? {};
    const broken = new Error('the disk is gone');
    const images = () => Promise.reject(broken);
    const reading = { ...metadata.read, lifecycle: { ...metadata.read.lifecycle, images } };
    const transaction: typeof metadata.transaction = (about, work) => metadata.transaction(about, work);
    const failing = { ...dependencies, metadata: { ...metadata, transaction, read: reading } };
    const { run, attemptsMax } = previewLifecycleJob(failing);
    const attempt = (attempts: number, signal = new AbortController().signal) =>
      assert.rejects(run({ repositoryId, previewId }, { signal, attempts }));
    const status = async () => (await lifecycle.getPreview(call, all)).status;
    await attempt(attemptsMax - 1);
    await attempt(attemptsMax, AbortSignal.abort());
    assert.equal(await status(), 'IN_PROGRESS');
    await attempt(attemptsMax);
    assert.equal(await status(), 'FAILED');
  });

  it('that was lost gives way after an hour', async () => {
    await using world = await lifecycleWorld();
    const start = () => world.lifecycle.startPreview(call, { repositoryName, document: keepOne });
    await start();
    world.pass(3599);
    assert.equal(await kindOf(start()), 'lifecycle-preview-in-progress');
    world.pass(1);
    assert.equal((await world.lifecycle.getPreview(call, all)).status, 'FAILED');
    assert.equal(await kindOf(start()), 'none');
  });

  it('says what a run then does, in the order it does it', async () => {
    let [rows, kept, failures] = [0, 0, 0];
    for (let seed = 1; seed <= 60; seed++) {
      const random = randomSource(seed);
      await using world = await lifecycleWorld({ lifecycleExtensions: true });
      await randomWorld(world, random);
      const document = randomPolicy(random);
      await world.lifecycle.putPolicy(call, { repositoryName, document });
      await world.lifecycle.startPreview(call, { repositoryName });
      await doDueJobs(world, world.handlers);
      const preview = await world.lifecycle.getPreview(call, all);
      assert.equal(preview.status, 'COMPLETE');
      const before = await statuses(world);
      const report = await world.apply();
      const after = await statuses(world);
      const shielded = new Set(report.failures.map(({ digest }) => digest));
      const said = new Map(preview.images.map((image) => [image.digest as string, image]));
      for (const [digest, status] of before) {
        const image = said.get(digest);
        const becomes = image?.action === 'EXPIRE' ? undefined : 'ARCHIVED';
        assert.equal(after.get(digest), image && !shielded.has(digest) ? becomes : status, `seed ${seed} ${document}`);
        if (!image) kept += 1;
        else assert.equal(image.storageClass, status === 'ARCHIVED' ? 'ARCHIVE' : 'STANDARD');
      }
      const listed = await world.dependencies.metadata.read.lifecycle.indexesBetween(world.repositoryId, '', 'sha256;');
      for (const { child } of listed) assert.ok(after.has(child), `seed ${seed}: an index that stays needs ${child}`);
      const { expired, transitioned, failed, changed } = report;
      assert.deepEqual([expired + transitioned + failed, changed], [preview.images.length, 0]);
      assert.equal(preview.expiring + preview.transitioning, preview.images.length);
      rows += preview.images.length;
      failures += failed;
    }
    assert.ok(rows > 100 && kept > 100 && failures > 10, `worlds that show something: ${[rows, kept, failures]}`);
  });
});

async function statuses({ images }: LifecycleWorld): Promise<Map<string, string>> {
  const page = { repositoryName, tagStatus: 'ANY', imageStatus: 'ANY', after: '', limit: 10_000 } as const;
  const described = (await images.describe(call, page)).images;
  return new Map(described.map(({ digest, status }) => [digest, status]));
}

function randomPolicy(random: ReturnType<typeof randomSource>): string {
  const lists = random.shuffled(['a*', '*1', 'b*', 'c*2', '*']).slice(0, random.integer(4));
  const selections: object[] = lists.map((pattern) => tagged(pattern));
  if (random.once(2)) selections.push(untagged);
  const standard = [...random.shuffled(selections), ...(random.once(2) ? [any] : [])];
  const counts = () =>
    random.pick([
      moreThan(1 + random.integer(5)),
      pushedBefore(1 + random.integer(9)),
      pulledBefore(1 + random.integer(9)),
    ]);
  const rules = standard.map((selection, index) =>
    rule((index + 1) * 10, { ...selection, ...counts() }, random.once(2) ? archive : expire),
  );
  if (rules.length === 0 || random.once(2)) rules.push(rule(99, { ...any, ...archivedBefore(90 + random.integer(5)) }));
  return JSON.stringify({ rules, ...(random.once(2) && { imageUnit: 'index' }) });
}
