import { type ImageUnits, imageUnits, settleUnits } from './image-units.ts';
import { archiveTime, type LifecycleImage, pullTime, pushTime } from './lifecycle-image.ts';
import type { LifecycleAction, LifecyclePolicy, LifecycleRule } from './lifecycle-policy.ts';
import { DAY_MS, describeRule, describeStanding } from './lifecycle-reasons.ts';
import { compileTagSelection } from './tag-selection.ts';

export interface LifecycleDecision {
  readonly digest: string;
  readonly action: LifecycleAction;
  readonly targetStorageClass?: 'ARCHIVE';
  readonly rulePriority: number;
  /** In plain words, with the numbers. */
  readonly reason: string;
}

export interface LifecycleExplanation {
  readonly digest: string;
  /** Absent for an image that is kept as it is. */
  readonly decision?: LifecycleDecision;
  /** The rules that select it, in ascending order; the first alone may act on it. */
  readonly selectedBy: readonly { readonly rulePriority: number; readonly isMarked: boolean }[];
  /** Why it goes, or why it is kept. */
  readonly reason: string;
}

/**
 * What a policy does to the images of a repository (ECR user guide, "How lifecycle policies work").
 *
 * Each rule is evaluated over all images by itself. An image belongs to the first rule whose storage class and tags it has,
 * whether that rule acts on it or not; a later rule still counts it. Of images pushed at the same time the one with the
 * smaller digest counts as the newer.
 *
 * @param images of one repository, each digest once, in any order
 * @returns in the order to execute: rule by rule in ascending priority, within a rule the oldest first; with the imageUnit
 *   `index` a child moreover after every index it is part of
 */
export function evaluateLifecycle(
  policy: LifecyclePolicy,
  images: readonly LifecycleImage[],
  now: Date,
): LifecycleDecision[] {
  return finished(appraise(policy, images, now)).decisions;
}

/** The same in steps of some milliseconds, with other work in between: a repository has up to 100,000 images. */
export async function evaluateInTurns(
  policy: LifecyclePolicy,
  images: readonly LifecycleImage[],
  now: Date,
  nextTurn: () => Promise<void>,
): Promise<LifecycleDecision[]> {
  const appraising = appraise(policy, images, now);
  for (;;) {
    const step = appraising.next();
    if (step.done) return step.value.decisions;
    await nextTurn();
  }
}

/** The same, and for every image, in the order given, why it goes or stays. */
export function explainLifecycle(
  policy: LifecyclePolicy,
  images: readonly LifecycleImage[],
  now: Date,
): LifecycleExplanation[] {
  const selectedBy: { rulePriority: number; isMarked: boolean }[][] = images.map(() => []);
  const onSelected: OnSelected = (rule, image, isMarked) =>
    selectedBy[image]!.push({ rulePriority: rule.rulePriority, isMarked });
  const { decisions, reasonOf } = finished(appraise(policy, images, now, onSelected));
  const decisionOf = new Map(decisions.map((decision) => [decision.digest, decision]));
  return images.map(({ digest }, image) => {
    const decision = decisionOf.get(digest);
    return { digest, ...(decision && { decision }), selectedBy: selectedBy[image]!, reason: reasonOf(image) };
  });
}

/** What became of each image with its rule; images and rules are numbers: their places in the arrays. */
interface Standings {
  /** The first rule that selects it, or NONE. */
  readonly owners: Int32Array;
  /** Under its owner: from 1 for the newest, or the age in milliseconds. */
  readonly ranks: Float64Array;
  readonly isMarked: Uint8Array;
}

const NONE = -1;

type OnSelected = (rule: LifecycleRule, image: number, isMarked: boolean) => void;

/** What yields does so between two of its steps. */
type InSteps<Result> = Generator<undefined, Result, undefined>;

/** Images of one step. */
const STEP = 5000;

interface Appraisal {
  readonly decisions: LifecycleDecision[];
  reasonOf(image: number): string;
}

function finished<Result>(work: InSteps<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

function* appraise(
  policy: LifecyclePolicy,
  images: readonly LifecycleImage[],
  now: Date,
  onSelected?: OnSelected,
): InSteps<Appraisal> {
  const { rules } = policy;
  const newestFirst = sortedByPush(images);
  yield;
  const units = policy.imageUnit === 'index' ? imageUnits(images, newestFirst) : undefined;
  const standings = yield* standingsOf(rules, images, now, { newestFirst, units, onSelected });
  const actors = standings.owners.map((owner, image) => (standings.isMarked[image] === 1 ? owner : NONE));
  const order = inOrder(rules.length, newestFirst, actors);
  const settled = units && settleUnits(units, images, rules, { actors, order });
  const described = rules.map(describeRule);

  const reasonOf = (image: number): string => {
    const followed = settled?.reasons.get(image);
    if (followed !== undefined) return followed;
    const owner = standings.owners[image]!;
    if (owner === NONE) return 'no rule selects it';
    return `${described[owner]}; ${describeStanding(rules[owner]!, images[image]!, standings.ranks[image]!)}`;
  };
  const own = order.map((image) => ({ image, rule: actors[image]!, action: rules[actors[image]!]!.action }));
  const decisions: LifecycleDecision[] = [];
  for (const { image, rule, action } of settled?.decisions ?? own) {
    if (decisions.length % STEP === 0) yield;
    const { rulePriority } = rules[rule]!;
    const { digest } = images[image]!;
    const target = action === 'TRANSITION' ? ({ targetStorageClass: 'ARCHIVE' } as const) : {};
    decisions.push({ digest, action, ...target, rulePriority, reason: reasonOf(image) });
  }
  return { decisions, reasonOf };
}

function sortedByPush(images: readonly LifecycleImage[]): Uint32Array {
  const times = Float64Array.from(images, pushTime);
  return Uint32Array.from(images.keys()).sort(
    (one, other) => times[other]! - times[one]! || (images[one]!.digest < images[other]!.digest ? -1 : 1),
  );
}

function* standingsOf(
  rules: readonly LifecycleRule[],
  images: readonly LifecycleImage[],
  now: Date,
  context: {
    newestFirst: Uint32Array;
    units: ImageUnits | undefined;
    onSelected: OnSelected | undefined;
  },
): InSteps<Standings> {
  const { newestFirst, units, onSelected } = context;
  const standings: Standings = {
    owners: new Int32Array(images.length).fill(NONE),
    ranks: new Float64Array(images.length),
    isMarked: new Uint8Array(images.length),
  };
  const lenses = rules.map((rule) => ({
    rule,
    hasTags: compileTagSelection(rule.tags),
    measure: measureOf(rule, now),
  }));
  const selected = new Uint32Array(rules.length);
  // Image by image, not rule by rule: an image's tags are compared while they are at hand.
  for (const [place, number] of newestFirst.entries()) {
    if (place % STEP === 0) yield;
    if (units?.isPart[number] === 1) continue;
    const image = images[number]!;
    for (let ruleNumber = 0; ruleNumber < lenses.length; ruleNumber += 1) {
      const { rule, hasTags, measure } = lenses[ruleNumber]!;
      if (image.storageClass !== rule.storageClass || !hasTags(image.tags)) continue;
      selected[ruleNumber]! += 1;
      const rank = measure.rank(image, selected[ruleNumber]!);
      const isMarked = measure.isMarked(rank);
      onSelected?.(rule, number, isMarked);
      if (standings.owners[number] !== NONE) continue;
      standings.owners[number] = ruleNumber;
      standings.ranks[number] = rank;
      standings.isMarked[number] = isMarked ? 1 : 0;
    }
  }
  return standings;
}

interface Measure {
  rank(image: LifecycleImage, position: number): number;
  isMarked(rank: number): boolean;
}

/** More than so many images or days, never exactly so many. */
function measureOf({ countType, countNumber }: LifecycleRule, now: Date): Measure {
  const nowMs = now.getTime();
  const isMarked = (ageMs: number) => ageMs > countNumber * DAY_MS;
  switch (countType) {
    case 'imageCountMoreThan':
      return { rank: (_, position) => position, isMarked: (position) => position > countNumber };
    case 'sinceImagePushed':
      return { rank: (image) => nowMs - pushTime(image), isMarked };
    case 'sinceImagePulled':
      return { rank: (image) => nowMs - pullTime(image), isMarked };
    case 'sinceImageTransitioned':
      return { rank: (image) => nowMs - (archiveTime(image) ?? nowMs), isMarked };
  }
}

/** Rule by rule, within a rule the oldest first. */
function inOrder(rules: number, newestFirst: Uint32Array, actors: Int32Array): number[] {
  const ofRule: number[][] = Array.from({ length: rules }, () => []);
  for (const image of newestFirst.toReversed()) ofRule[actors[image]!]?.push(image);
  return ofRule.flat();
}
