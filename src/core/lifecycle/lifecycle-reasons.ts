import type { LifecycleImage } from './lifecycle-image.ts';
import type { LifecycleRule } from './lifecycle-policy.ts';
import type { TagSelection } from './tag-selection.ts';

export const DAY_MS = 24 * 60 * 60 * 1000;

/** What a rule does, such as `rule 2 keeps the newest 5 images with a tag matching prod*`. */
export function describeRule({ rulePriority, tags, countType, countNumber, action }: LifecycleRule): string {
  const images = describeImages(tags);
  const verb = action === 'EXPIRE' ? 'expires' : 'archives';
  switch (countType) {
    case 'imageCountMoreThan': {
      const place = action === 'EXPIRE' ? '' : ' out of the archive';
      return `rule ${rulePriority} keeps the newest ${countNumber} ${images}${place}`;
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
  const { activatedAt, pulledAt } = image;
  if (countType === 'sinceImagePushed') return `this one was ${activatedAt ? 'restored' : 'pushed'} ${age}`;
  const isPulledSince = pulledAt !== undefined && (activatedAt === undefined || pulledAt > activatedAt);
  if (isPulledSince) return `this one was last pulled ${age}`;
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

function describeImages(tags: TagSelection): string {
  if (tags.status === 'any') return 'images';
  if (tags.status === 'untagged') return 'untagged images';
  const matching = tags.by === 'pattern' ? 'matching' : 'beginning with';
  const entries = tags.entries.length === 0 ? ['a tag'] : [`a tag ${matching} ${listed(tags.entries, 'and one')}`];
  const excluded = tags.excluded.length === 0 ? [] : [`no tag matching ${listed(tags.excluded, 'or')}`];
  return `images with ${[...entries, ...excluded].join(' and ')}`;
}

/** A reason goes with each of many images: it says no more of a long list, or a long pattern, than its beginning. */
const LISTED_MAX = 4;
const ENTRY_CHARACTERS_MAX = 60;

function listed(entries: readonly string[], conjunction: string): string {
  const told = entries
    .slice(0, LISTED_MAX)
    .map((entry) => (entry.length <= ENTRY_CHARACTERS_MAX ? entry : `${entry.slice(0, ENTRY_CHARACTERS_MAX)}…`));
  const untold = entries.length - told.length;
  return [...told, ...(untold > 0 ? [`${untold} more`] : [])].join(` ${conjunction} `);
}
