import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Blob } from '../support/images.ts';
import { call } from './core-under-test.ts';
import { doDueJobs } from './due-jobs.ts';
import { any, archive, archivedBefore, moreThan, pushedBefore, rule, tagged, untagged } from './lifecycle-rules.ts';
import { DAY_SECONDS, type LifecycleWorld, lifecycleWorld, repositoryName } from './lifecycle-world.ts';

/**
 * Signatures go with what they sign alone, releases keep, builds go, what has no tag goes, old platforms' indexes are archived and at last deleted, and the rest is
 * bounded. `latest` moves every day.
 */
const POLICY = {
  rules: [
    rule(5, { ...tagged('signature-*'), ...moreThan(9999) }),
    rule(10, { ...tagged('v*'), ...moreThan(8) }),
    rule(20, { ...untagged, ...pushedBefore(14) }),
    rule(30, { ...tagged('multi-*'), ...pushedBefore(50) }, archive),
    rule(40, { ...any, ...archivedBefore(90) }),
    rule(50, { ...any, ...moreThan(40) }),
  ],
};

/** What the model knows of an image; times are in milliseconds. */
interface Known {
  readonly digest: string;
  tags: readonly string[];
  readonly pushedAt: number;
  archivedAt?: number;
  readonly children: readonly string[];
  readonly subject?: string;
}

describe('a year under a lifecycle policy', () => {
  it('keeps every day what a plain reading of the policy keeps', async () => {
    await using world = await lifecycleWorld();
    await world.policy(POLICY);
    let known: Known[] = [];
    let [expiredInAll, archivedInAll] = [0, 0];
    for (let day = 1; day <= 365; day++) {
      world.pass(DAY_SECONDS - 60);
      for (const pushed of await pushesOf(world, day)) {
        known = known.map((image) => ({ ...image, tags: image.tags.filter((tag) => !pushed.tags.includes(tag)) }));
        known.push(pushed);
      }
      const { metadata, now } = world.dependencies;
      await metadata.transaction('alone', ({ jobs }) => jobs.enqueue({ kind: 'start-lifecycle', payload: {} }, now()));
      for (const { outcome } of await doDueJobs(world, world.handlers)) assert.equal(outcome, 'done');
      const before = known.length;
      known = afterOneRun(known, now().getTime());
      expiredInAll += before - known.length;
      const described = known.map(({ digest, tags, archivedAt }) => [
        digest,
        [...tags].sort(),
        archivedAt === undefined ? 'ACTIVE' : 'ARCHIVED',
      ]);
      archivedInAll = Math.max(archivedInAll, known.filter(({ archivedAt }) => archivedAt !== undefined).length);
      assert.deepEqual(await imagesOf(world), described.sort(), `day ${day}`);
    }
    assert.ok(expiredInAll > 700 && archivedInAll > 5, `${expiredInAll} expired, up to ${archivedInAll} archived`);
  });
});

async function imagesOf({ images }: LifecycleWorld): Promise<unknown[]> {
  const page = { repositoryName, tagStatus: 'ANY', imageStatus: 'ANY', after: '', limit: 10_000 } as const;
  const described = (await images.describe(call, page)).images;
  return described.map(({ digest, tags, status }) => [digest, tags, status]).sort();
}

/** What a team pushes on a day. */
async function pushesOf(world: LifecycleWorld, day: number): Promise<Known[]> {
  const pushes: Known[] = [];
  const note = async (pushing: Promise<Blob>, more: Partial<Known> = {}) => {
    const { digest } = await pushing;
    const pushedAt = world.dependencies.now().getTime();
    pushes.push({ digest, tags: [], children: [], ...more, pushedAt });
    return pushing;
  };
  const sign = async (signed: Blob, name: string) => {
    const tags = [`signature-${name}`];
    await note(world.push(`signature ${name}`, { tags, subject: signed }), { tags, subject: signed.digest });
  };
  await note(world.push(`nightly ${day}`, { tags: ['latest', `build-${day}`] }), { tags: ['latest', `build-${day}`] });
  await note(world.push(`moved ${day}`, { tags: ['edge'] }), { tags: ['edge'] });
  await note(world.push(`loose ${day}`));
  if (day % 7 === 0) {
    const tags = [`v${day}`, 'stable'];
    await sign(await note(world.push(`release ${day}`, { tags }), { tags }), `v${day}`);
  }
  if (day % 10 === 0) {
    const children = [await note(world.push(`amd64 ${day}`)), await note(world.push(`arm64 ${day}`))];
    const tags = [`multi-${day}`];
    const digests = children.map(({ digest }) => digest);
    await sign(await note(world.pushIndex(children, tags), { tags, children: digests }), `multi-${day}`);
  }
  return pushes;
}

/** The policy above, read out by hand, and what goes after it the same day. */
function afterOneRun(known: readonly Known[], now: number): Known[] {
  const days = (time: number) => (now - time) / (DAY_SECONDS * 1000);
  const standard = ({ archivedAt }: Known) => archivedAt === undefined;
  const begins = (prefix: string) => (image: Known) =>
    standard(image) && image.tags.some((tag) => tag.startsWith(prefix));
  const newestFirst = known.toSorted((one, other) => other.pushedAt - one.pushedAt);
  const isSignature = begins('signature-');
  const isRelease = begins('v');
  const isLoose = (image: Known) => standard(image) && image.tags.length === 0;
  const isIndex = begins('multi-');
  const releases = newestFirst.filter(isRelease);
  const all = newestFirst.filter(standard);

  const surplusReleases = releases.slice(8);
  const oldLoose = newestFirst.filter((image) => isLoose(image) && !isRelease(image) && days(image.pushedAt) > 14);
  const oldIndexes = newestFirst.filter(
    (image) => isIndex(image) && !isRelease(image) && !isLoose(image) && days(image.pushedAt) > 50,
  );
  const oldArchived = newestFirst.filter((image) => !standard(image) && days(image.archivedAt ?? now) > 90);
  const surplus = all
    .slice(40)
    .filter((image) => ![isSignature, isRelease, isLoose, isIndex].some((owns) => owns(image)));

  let left = known.map((image) => ({ ...image }));
  const isListed = (digest: string) => left.some(({ children }) => children.includes(digest));
  const remove = (digest: string): void => {
    if (isListed(digest)) return;
    left = left.filter((image) => image.digest !== digest);
    for (const { digest: referrer } of left.filter(({ subject }) => subject === digest)) remove(referrer);
  };
  const putAway = (digest: string): void => {
    const isListedActive = left.some(({ children, archivedAt }) => !archivedAt && children.includes(digest));
    const image = left.find((one) => one.digest === digest);
    if (!image || image.archivedAt !== undefined || isListedActive) return;
    image.archivedAt = now;
    for (const { digest: referrer } of left.filter(({ subject }) => subject === digest)) putAway(referrer);
  };
  for (const { digest } of [...surplusReleases.toReversed(), ...oldLoose.toReversed()]) remove(digest);
  for (const { digest } of oldIndexes.toReversed()) putAway(digest);
  for (const { digest } of [...oldArchived.toReversed(), ...surplus.toReversed()]) remove(digest);
  return left;
}
