import type { LifecycleImage } from './lifecycle-image.ts';
import type { LifecycleAction, LifecycleRule } from './lifecycle-policy.ts';

/** Which images are parts of others; an image is a number: its place in the array. */
export interface ImageUnits {
  /** 1 for an untagged child of an index that is there: rules do not see it, it goes where its indexes go. */
  readonly isPart: Uint8Array;
  /** Indexes that are there, by digest; empty for most. */
  readonly parents: readonly (readonly number[])[];
  /** The newest first. */
  readonly children: readonly (readonly number[])[];
}

/** Finds the indexes of each image among the images themselves: one that is no longer there binds nobody. */
export function imageUnits(images: readonly LifecycleImage[], newestFirst: Uint32Array): ImageUnits {
  const numbers = new Map(images.map(({ digest }, image) => [digest, image]));
  const isPart = new Uint8Array(images.length);
  const parents = images.map(({ parents: digests, tags }, image) => {
    if (digests === undefined || digests.length === 0) return NOBODY;
    const present = [...new Set(digests)]
      .sort()
      .map((digest) => numbers.get(digest))
      .filter((parent) => parent !== undefined);
    if (present.length > 0 && tags.length === 0) isPart[image] = 1;
    return present;
  });
  const children: number[][] = images.map(() => NOBODY);
  for (const image of newestFirst)
    for (const parent of parents[image]!) {
      if (children[parent] === NOBODY) children[parent] = [];
      children[parent]!.push(image);
    }
  return { isPart, parents, children };
}

const NOBODY: number[] = [];

export interface SettledUnits {
  /** In the order to execute: a child after all its indexes. */
  readonly decisions: readonly { readonly image: number; readonly rule: number; readonly action: LifecycleAction }[];
  /** Of images that stay or go because of an index they are part of. */
  readonly reasons: ReadonlyMap<number, string>;
}

/** How much is left of an image when the policy was executed. The larger binds: a child is never less than an index of it. */
const GONE = 0;
const ARCHIVED = 1;
const STANDARD = 2;

/**
 * Lets the parts go where their indexes go, and keeps what an index that stays still needs.
 *
 * - An untagged child goes once all its indexes go: archived when one of them is archived, else expired. It is not expired
 *   out of another storage class than theirs.
 * - A tagged child is decided by its own rule; but nothing happens to it that does not happen to all its indexes too.
 *
 * @param own the rule that acts on each image, or a negative number, and those acted on in order
 */
export function settleUnits(
  units: ImageUnits,
  images: readonly LifecycleImage[],
  rules: readonly LifecycleRule[],
  own: { readonly actors: Int32Array; readonly order: readonly number[] },
): SettledUnits {
  const start = Uint8Array.from(images, ({ storageClass }) => (storageClass === 'ARCHIVE' ? ARCHIVED : STANDARD));
  const left = start.slice();
  const actors = own.actors.slice();
  const reasons = new Map<number, string>();
  for (const image of parentsFirst(units)) {
    const parents = units.parents[image]!;
    const bound = parents.reduce((most, parent) => Math.max(most, left[parent]!), GONE);
    const stayer = () => images[parents.find((parent) => left[parent] === bound)!]!.digest;
    if (units.isPart[image] === 1) {
      const cause = lastToAct(parents, actors);
      if (cause !== undefined) left[image] = leftOfPart(start[image]!, bound, isWithAll(image, parents, start));
      if (cause === undefined || left[image] === start[image]) reasons.set(image, `it is part of ${stayer()}`);
      else {
        actors[image] = actors[cause]!;
        const { rulePriority } = rules[actors[cause]!]!;
        const verb = left[cause] === GONE ? 'expires' : 'archives';
        reasons.set(image, `it is part of ${images[cause]!.digest}, which rule ${rulePriority} ${verb}`);
      }
    } else if (actors[image]! >= 0) {
      const wanted = rules[actors[image]!]!.action === 'EXPIRE' ? GONE : ARCHIVED;
      if (wanted >= bound) left[image] = wanted;
      else {
        actors[image] = -1;
        reasons.set(image, `it is part of ${stayer()}, which still needs it`);
      }
    }
  }
  // What is in a circle, which true digests cannot make, was never reached.
  for (const image of images.keys()) if (left[image] === start[image]) actors[image] = -1;
  const decisions = executionOrder(units, own.order, actors).map((image) => ({
    image,
    rule: actors[image]!,
    action: left[image] === GONE ? ('EXPIRE' as const) : ('TRANSITION' as const),
  }));
  return { decisions, reasons };
}

/** @param goesWithAll whether it is in the storage class of all its indexes */
function leftOfPart(start: number, bound: number, goesWithAll: boolean): number {
  if (bound === GONE) return goesWithAll ? GONE : start;
  return Math.min(start, bound);
}

function isWithAll(image: number, parents: readonly number[], start: Uint8Array): boolean {
  return parents.every((parent) => start[parent] === start[image]);
}

/** The parent that the rule with the largest priority acts on; of several the one with the smallest digest. */
function lastToAct(parents: readonly number[], actors: Int32Array): number | undefined {
  let last: number | undefined;
  for (const parent of parents)
    if (actors[parent]! >= 0 && (last === undefined || actors[parent]! > actors[last]!)) last = parent;
  return last;
}

/** Every image after all its indexes; without those of a circle. */
function parentsFirst({ parents, children }: ImageUnits): number[] {
  const pending = Uint32Array.from(parents, ({ length }) => length);
  const order = parents.flatMap(({ length }, image) => (length === 0 ? [image] : []));
  // Grows while it is walked.
  for (const image of order) {
    for (const child of children[image]!) {
      pending[child]! -= 1;
      if (pending[child] === 0) order.push(child);
    }
  }
  return order;
}

/** The order of the rules, where a part follows its last index at once, and a tagged child waits for it. */
function executionOrder(
  { parents, children, isPart }: ImageUnits,
  turns: readonly number[],
  actors: Int32Array,
): number[] {
  const order: number[] = [];
  const isDone = new Uint8Array(actors.length);
  const hadTurn = isPart.slice();
  const isReady = (image: number) =>
    actors[image]! >= 0 &&
    hadTurn[image] === 1 &&
    isDone[image] === 0 &&
    parents[image]!.every((parent) => actors[parent]! < 0 || isDone[parent] === 1);
  for (const turn of turns) {
    hadTurn[turn] = 1;
    const ready = isReady(turn) ? [turn] : [];
    for (let image = ready.pop(); image !== undefined; image = ready.pop()) {
      if (!isReady(image)) continue;
      isDone[image] = 1;
      order.push(image);
      // The last of them, the oldest, is taken first.
      for (const child of children[image]!) ready.push(child);
    }
  }
  return order;
}
