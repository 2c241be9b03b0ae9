import { isPulledSince, type LifecycleImage } from './lifecycle-image.ts';
import type { LifecycleRule } from './lifecycle-policy.ts';
import type { TagSelection } from './tag-selection.ts';

export const DAY_MS = 24 * 60 * 60 * 1000;

/** What a rule does, such as `rule 2 keeps the newest 5 images with a tag matching prod*`. */
export function describeRule({ rulePriority, tags, countType, countNumber, action }: LifecycleRule): string {
  const isOne = countType === 'imageCountMoreThan' && countNumber === 1;
  const images = describeImages(tags, isOne ? 'image' : 'images');
  const verb = action === 'EXPIRE' ? 'expires' : 'archives';
  switch (countType) {
    case 'imageCountMoreThan': {
      const place = action === 'EXPIRE' ? '' : ' out of the archive';
      return `rule ${rulePriority} keeps the newest ${isOne ? '' : `${countNumber} `}${images}${place}`;
    }
    case 'sinceImagePushed':
      return `rule ${rulePriority} ${verb} ${images} pushed more than ${days(countNumber)} ago`;
    case 'sinceImagePulled':
      return `rule ${rulePriority} ${verb} ${images} not pulled for more than ${days(countNumber)}`;
    case 'sinceImageTransitioned':
      return `rule ${rulePriority} ${verb} ${images} archived more than ${days(countNumber)} ago`;
  }
}

/**
 * How an image stands with a rule that selects it, such as `this one is number 8 by push time`.
 *
 * @param rank its place counted from the newest, or its age in milliseconds
 */
export function describeStanding(
  { countType, countNumber }: LifecycleRule,
  image: LifecycleImage,
  rank: number,
): string {
  if (countType === 'imageCountMoreThan') return `this one is number ${rank} by push time`;
  const age = describeAge(rank, countNumber);
  if (countType === 'sinceImageTransitioned') return `this one was archived ${age}`;
  const { activatedAt } = image;
  if (countType === 'sinceImagePushed') return `this one was ${activatedAt ? 'restored' : 'pushed'} ${age}`;
  if (isPulledSince(image)) return `this one was last pulled ${age}`;
  return activatedAt
    ? `this one was restored ${age} and not pulled since`
    : `this one was pushed ${age} and never pulled`;
}

/** Whole days; where they alone would look like the limit, what decides is said. */
function describeAge(ageMs: number, limitDays: number): string {
  const wholeDays = Math.floor(ageMs / DAY_MS);
  if (wholeDays === limitDays && ageMs > limitDays * DAY_MS) return `a little more than ${days(wholeDays)} ago`;
  return wholeDays < 1 ? 'less than a day ago' : `${days(wholeDays)} ago`;
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`;
}

function describeImages(tags: TagSelection, noun: 'image' | 'images'): string {
  if (tags.status === 'any') return noun;
  if (tags.status === 'untagged') return `untagged ${noun}`;
  const matching = tags.by === 'pattern' ? 'matching' : 'beginning with';
  const parts = [
    ...(tags.entries.length === 0 ? ['a tag'] : listed(`a tag ${matching}`, tags.entries)),
    ...listed('no tag matching', tags.excluded),
  ];
  return `${noun} with ${parts.join(' and ')}`;
}

/** A reason goes with each of many images: it says no more of a long list, or a long pattern, than its beginning. */
const LISTED_MAX = 4;
const ENTRY_CHARACTERS_MAX = 60;

function listed(what: string, entries: readonly string[]): string[] {
  const told = entries.slice(0, LISTED_MAX).map((entry) => `${what} ${shortened(entry)}`);
  return entries.length > LISTED_MAX ? [...told, `${entries.length - LISTED_MAX} more`] : told;
}

function shortened(entry: string): string {
  return entry.length <= ENTRY_CHARACTERS_MAX ? entry : `${entry.slice(0, ENTRY_CHARACTERS_MAX)}…`;
}
