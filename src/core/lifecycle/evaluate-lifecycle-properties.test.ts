import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomSource } from '../../../test/oracle/random-source.ts';
import { evaluateLifecycle, explainLifecycle, type LifecycleDecision } from './evaluate-lifecycle.ts';
import type { LifecycleImage } from './lifecycle-image.ts';
import type { LifecyclePolicy, LifecycleRule } from './lifecycle-policy.ts';
import type { TagSelection } from './tag-selection.ts';

type Random = ReturnType<typeof randomSource>;

const ROUNDS = 600;
const NOW = new Date('2026-03-01T12:00:00Z');
const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** Runs a check with random policies and images; what fails can be made again from its seed. */
function always(seed: number, units: readonly LifecyclePolicy['imageUnit'][], check: (world: World) => void): void {
  const random = randomSource(seed);
  let decisions = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const policy = { rules: randomRules(random), imageUnit: random.pick(units) };
    const world = { random, policy, images: randomImages(random) };
    decisions += evaluateLifecycle(policy, world.images, NOW).length;
    try {
      check(world);
    } catch (error) {
      throw new Error(`round ${round}: ${JSON.stringify({ policy, images: world.images })}`, { cause: error });
    }
  }
  assert.ok(decisions > ROUNDS, `only ${decisions} decisions: the worlds are too tame`);
}

interface World {
  readonly random: Random;
  readonly policy: LifecyclePolicy;
  readonly images: readonly LifecycleImage[];
}

const BOTH = ['manifest', 'index'] as const;
const AS_ECR = ['manifest'] as const;

describe('of any lifecycle policies and images', () => {
  it('the decisions are those of the documented algorithm, read word for word', () =>
    always(21, AS_ECR, ({ policy, images }) =>
      assert.deepEqual(
        evaluateLifecycle(policy, images, NOW).map(({ rulePriority, digest }) => [rulePriority, digest]),
        documented(policy, images),
      ),
    ));

  it('no image is decided twice', () =>
    always(22, BOTH, ({ policy, images }) => {
      const digests = evaluateLifecycle(policy, images, NOW).map(({ digest }) => digest);
      assert.equal(new Set(digests).size, digests.length);
    }));

  it('what a rule selects does not depend on its priority', () =>
    always(23, BOTH, ({ random, policy, images }) => {
      const shuffled = random.shuffled(policy.rules);
      const renumbered = shuffled.map((rule, index) => ({ ...rule, rulePriority: index + 1 }));
      const before = selections(policy, images, (priority) => policy.rules.findIndex(hasPriority(priority)));
      const after = selections({ ...policy, rules: renumbered }, images, (priority) =>
        policy.rules.indexOf(shuffled[priority - 1]!),
      );
      assert.deepEqual(after, before);
    }));

  it('an image is decided by the first rule that selects it, which marks it, and by no other', () =>
    always(24, BOTH, ({ policy, images }) => {
      for (const { decision, selectedBy, reason } of explainLifecycle(policy, images, NOW)) {
        if (decision === undefined || reason.startsWith('it is part of')) continue;
        assert.deepEqual([selectedBy[0]?.rulePriority, selectedBy[0]?.isMarked], [decision.rulePriority, true]);
      }
    }));

  it('a second evaluation at the same time has nothing left to do', () =>
    always(25, AS_ECR, ({ policy, images }) => {
      const after = applied(images, evaluateLifecycle(policy, images, NOW));
      assert.deepEqual(evaluateLifecycle(policy, after, NOW), []);
    }));

  it('the order of the images changes nothing', () =>
    always(26, BOTH, ({ random, policy, images }) => {
      const shuffled = random.shuffled(images).map((image) => ({
        ...image,
        tags: random.shuffled(image.tags),
        ...(image.parents && { parents: random.shuffled(image.parents) }),
      }));
      assert.deepEqual(evaluateLifecycle(policy, shuffled, NOW), evaluateLifecycle(policy, images, NOW));
      const reasons = (given: readonly LifecycleImage[]) =>
        explainLifecycle(policy, given, NOW)
          .map(({ digest, reason }) => `${digest} ${reason}`)
          .sort();
      assert.deepEqual(reasons(shuffled), reasons(images));
    }));

  it('what is explained as decided is decided, and nothing else', () =>
    always(27, BOTH, ({ policy, images }) => {
      const decisions = evaluateLifecycle(policy, images, NOW);
      const byDigest = (one: LifecycleDecision, other: LifecycleDecision) => (one.digest < other.digest ? -1 : 1);
      const explained = explainLifecycle(policy, images, NOW).flatMap(({ decision }) => decision ?? []);
      assert.deepEqual(explained.sort(byDigest), decisions.toSorted(byDigest));
    }));

  it('rule by rule, and the oldest first in each', () =>
    always(28, AS_ECR, ({ policy, images }) => {
      const timeOf = new Map(images.map((image) => [image.digest, pushedOrRestored(image)]));
      const keys = evaluateLifecycle(policy, images, NOW).map(({ rulePriority, digest }) => [
        rulePriority,
        timeOf.get(digest)!,
      ]);
      assert.deepEqual(
        keys,
        keys.toSorted(([rule, time], [otherRule, otherTime]) => rule! - otherRule! || time! - otherTime!),
      );
    }));
});

describe('of any policies that take an index and its children for one', () => {
  it('nothing goes before an index that lists it, nor further than it', () =>
    always(31, ['index'], ({ policy, images }) => {
      const decisions = evaluateLifecycle(policy, images, NOW);
      const places = new Map(decisions.map(({ digest }, place) => [digest, place]));
      const left = leftOf(images, decisions);
      for (const { digest, parents = [] } of images.filter((image) => places.has(image.digest))) {
        for (const parent of parents.filter((listed) => left.has(listed))) {
          assert.ok(left.get(digest)! >= left.get(parent)!, `${digest} goes further than ${parent}`);
          assert.ok((places.get(parent) ?? -1) < places.get(digest)!, `${digest} goes before ${parent}`);
        }
      }
    }));

  it('an untagged child of one storage class with its indexes is never left behind', () =>
    always(32, ['index'], ({ policy, images }) => {
      const left = leftOf(images, evaluateLifecycle(policy, images, NOW));
      const storageClassOf = new Map(images.map((image) => [image.digest, image.storageClass]));
      for (const { digest, tags, storageClass, parents = [] } of images) {
        const present = parents.filter((parent) => left.has(parent));
        if (tags.length > 0 || present.length === 0) continue;
        if (present.some((parent) => storageClassOf.get(parent) !== storageClass)) continue;
        assert.equal(left.get(digest), Math.max(...present.map((parent) => left.get(parent)!)), digest);
      }
    }));

  it('without indexes everything is as in ECR', () =>
    always(33, ['index'], ({ policy, images }) => {
      const lone = images.map(({ parents: _, ...image }) => image);
      const asEcr = { ...policy, imageUnit: 'manifest' as const };
      assert.deepEqual(evaluateLifecycle(policy, lone, NOW), evaluateLifecycle(asEcr, images, NOW));
    }));
});

/** The algorithm as it is documented, without regard to time, by ordinary means that the evaluator does not use. */
function documented(
  { rules }: LifecyclePolicy,
  images: readonly LifecycleImage[],
): [rulePriority: number, digest: string][] {
  const owners = new Map<string, LifecycleRule>();
  return rules.flatMap((rule) => {
    const selected = images
      .filter(({ storageClass, tags }) => storageClass === rule.storageClass && isSelected(rule.tags, tags))
      .sort((one, other) => pushedOrRestored(other) - pushedOrRestored(one) || (one.digest < other.digest ? -1 : 1));
    const marked = selected.filter((image, place) => isMarked(rule, image, place));
    for (const { digest } of selected) if (!owners.has(digest)) owners.set(digest, rule);
    const acted = marked.filter(({ digest }) => owners.get(digest) === rule);
    return acted.reverse().map(({ digest }): [number, string] => [rule.rulePriority, digest]);
  });
}

function isMarked({ countType, countNumber }: LifecycleRule, image: LifecycleImage, place: number): boolean {
  const { pushedAt, activatedAt, pulledAt, archivedAt } = image;
  const isPulledSince = pulledAt && (!activatedAt || pulledAt > activatedAt);
  const from = {
    imageCountMoreThan: undefined,
    sinceImagePushed: activatedAt ?? pushedAt,
    sinceImagePulled: isPulledSince ? pulledAt : (activatedAt ?? pushedAt),
    sinceImageTransitioned: archivedAt,
  }[countType];
  if (countType === 'imageCountMoreThan') return place >= countNumber;
  return from !== undefined && NOW.getTime() > from.getTime() + countNumber * DAY_MS;
}

function isSelected(selection: TagSelection, tags: readonly string[]): boolean {
  if (selection.status !== 'tagged') return selection.status === 'any' || tags.length === 0;
  const end = selection.by === 'prefix' ? '.*$' : '$';
  const expressionOf = (entry: string) => new RegExp(`^${entry.split('*').join('.*')}${end}`);
  const isOnSome = (entry: string) => tags.some((tag) => expressionOf(entry).test(tag));
  return tags.length > 0 && selection.entries.every(isOnSome) && !selection.excluded.some(isOnSome);
}

const pushedOrRestored = ({ activatedAt, pushedAt }: LifecycleImage) => (activatedAt ?? pushedAt).getTime();

const hasPriority = (wanted: number) => (rule: LifecycleRule) => rule.rulePriority === wanted;

/** For each rule, named by a number that stays with it, the images it selects. */
function selections(policy: LifecyclePolicy, images: readonly LifecycleImage[], nameOf: (priority: number) => number) {
  return explainLifecycle(policy, images, NOW)
    .flatMap(({ digest, selectedBy }) => selectedBy.map((by) => `${nameOf(by.rulePriority)} ${digest} ${by.isMarked}`))
    .sort();
}

function applied(images: readonly LifecycleImage[], decisions: readonly LifecycleDecision[]): LifecycleImage[] {
  const actions = new Map(decisions.map(({ digest, action }) => [digest, action]));
  return images
    .filter(({ digest }) => actions.get(digest) !== 'EXPIRE')
    .map((image) => (actions.has(image.digest) ? { ...image, storageClass: 'ARCHIVE', archivedAt: NOW } : image));
}

/** 0 for an image that is gone, 1 for one in the archive, 2 for any other. */
function leftOf(images: readonly LifecycleImage[], decisions: readonly LifecycleDecision[]): Map<string, number> {
  const after = new Map(applied(images, decisions).map(({ digest, storageClass }) => [digest, storageClass]));
  return new Map(images.map(({ digest }) => [digest, { STANDARD: 2, ARCHIVE: 1, '': 0 }[after.get(digest) ?? '']]));
}

/** Not all that a document may not say is kept out, such as an `any` in the middle: the evaluator holds for it too. */
function randomRules(random: Random): LifecycleRule[] {
  let rulePriority = 0;
  return Array.from({ length: 1 + random.integer(5) }, () => {
    rulePriority += 1 + random.integer(3);
    const isArchive = random.once(5);
    const countType = isArchive
      ? 'sinceImageTransitioned'
      : random.pick(['imageCountMoreThan', 'sinceImagePushed', 'sinceImagePulled'] as const);
    return {
      rulePriority,
      tags: randomSelection(random),
      storageClass: isArchive ? 'ARCHIVE' : 'STANDARD',
      countType,
      countNumber: 1 + random.integer(6),
      action: !isArchive && random.once(3) ? 'TRANSITION' : 'EXPIRE',
    };
  });
}

function randomSelection(random: Random): TagSelection {
  if (random.once(3)) return { status: random.pick(['any', 'untagged']) };
  const by = random.pick(['pattern', 'prefix'] as const);
  const entry = () =>
    by === 'prefix'
      ? random.pick(['a', 'b', 'b-', 'c-1'])
      : random.pick(['a*', '*1', 'b-*', '*-*', '*', 'c-2', 'b*1', '**']);
  const entries = [entry(), ...random.times(1, entry)];
  return { status: 'tagged', by, entries, excluded: by === 'pattern' ? random.times(1, entry) : [] };
}

function randomImages(random: Random): LifecycleImage[] {
  const names = random.shuffled(Array.from({ length: 1 + random.integer(14) }, (_, at) => `sha256:${at.toString(16)}`));
  const before = () => new Date(NOW.getTime() - random.integer(8) * DAY_MS - random.pick([0, 0, 1, HOUR_MS]));
  const maybe = <Name extends string>(name: Name, n: number) =>
    (random.once(n) ? { [name]: before() } : {}) as { [name in Name]?: Date };
  return names.map((digest, at) => {
    const isArchived = random.once(5);
    const earlier = [...names.slice(0, at), 'sha256:absent'];
    return {
      digest,
      tags: random.times(3, () => `${random.pick(['a', 'b', 'c'])}-${random.integer(3)}`),
      storageClass: isArchived ? ('ARCHIVE' as const) : ('STANDARD' as const),
      pushedAt: before(),
      ...maybe('pulledAt', 2),
      ...maybe('activatedAt', 5),
      ...(isArchived ? { archivedAt: before() } : maybe('archivedAt', 6)),
      ...(random.once(2) && { parents: [random.pick(earlier), ...random.times(3, () => random.pick(earlier))] }),
    };
  });
}
