import { array, eitherOf, integer, type Members, object, oneOfTexts, type SchemaCheck, text } from './json-schema.ts';

/** A policy as it is written (ECR user guide, "Lifecycle policy properties"), once it fits the schema. */
export interface LifecycleDocument {
  readonly rules: readonly RuleDocument[];
  readonly imageUnit?: 'manifest' | 'index';
}

export interface RuleDocument {
  readonly rulePriority: number;
  readonly description?: string;
  readonly selection: {
    readonly tagStatus: 'tagged' | 'untagged' | 'any';
    readonly tagPatternList?: readonly string[];
    readonly tagPrefixList?: readonly string[];
    readonly storageClass?: 'standard' | 'archive';
    readonly countType: CountType;
    readonly countUnit?: 'days';
    readonly countNumber: number;
  };
  readonly action:
    | { readonly type: 'expire' }
    | { readonly type: 'transition'; readonly targetStorageClass: 'archive' };
}

export type CountType = 'imageCountMoreThan' | 'sinceImagePushed' | 'sinceImagePulled' | 'sinceImageTransitioned';

/** What a policy's keys, types and single values must be; how rules go together is lifecycle-policy-constraints.ts's. */
export function lifecycleSchema({ extensions, rulesMax }: { extensions: boolean; rulesMax: number }): SchemaCheck {
  return object(
    { rules: array(rule, { elementsMin: 1, elementsMax: rulesMax }) },
    extensions ? { imageUnit: oneOfTexts(['index', 'manifest']) } : {},
  );
}

/** ECR names no bound but the type of `appliedRulePriority`. */
const INTEGER_MAX = 2 ** 31 - 1;

/** Whatever it is, the branches decide: so it is in ECR, which answers a null there with "matched 0 out of …". */
const leftToBranches: SchemaCheck = () => undefined;

const tagList = array(text({ charactersMin: 1 }), { elementsMin: 0 });

const selection = eitherOf(
  object(
    {
      tagStatus: oneOfTexts(['any', 'tagged', 'untagged']),
      countType: leftToBranches,
      countNumber: integer({ min: 1, max: INTEGER_MAX }),
    },
    {
      tagPatternList: tagList,
      tagPrefixList: tagList,
      storageClass: leftToBranches,
      countUnit: (value, place, findings) =>
        typeof value === 'string' ? oneOfTexts(['days'])(value, place, findings) : undefined,
    },
  ),
  4,
  whySelectionFitsNone,
);

const action = eitherOf(object({ type: leftToBranches }, { targetStorageClass: leftToBranches }), 2, whyActionFitsNone);

const rule = object(
  { rulePriority: integer({ min: 1, max: INTEGER_MAX }), selection, action },
  { description: text({ charactersMin: 0 }) },
);

/** ECR user guide, "Archiving an image": the least time in the archive. */
const ARCHIVED_DAYS_MIN = 90;

function whySelectionFitsNone(members: Members): string | undefined {
  const countType = members.get('countType');
  const storageClass = members.has('storageClass') ? members.get('storageClass') : 'standard';
  switch (countType) {
    case 'imageCountMoreThan':
      if (members.has('countUnit')) return `the countType ${countType} takes no countUnit`;
      break;
    case 'sinceImagePushed':
    case 'sinceImagePulled':
    case 'sinceImageTransitioned':
      if (members.get('countUnit') !== 'days') return `the countType ${countType} needs the countUnit "days"`;
      break;
    default:
      return 'the countType must be imageCountMoreThan, sinceImagePushed, sinceImagePulled or sinceImageTransitioned';
  }
  if (countType !== 'sinceImageTransitioned')
    return storageClass === 'standard' ? undefined : `the countType ${countType} needs the storageClass "standard"`;
  if (storageClass !== 'archive') return `the countType ${countType} needs the storageClass "archive", written out`;
  if ((members.get('countNumber') as number) >= ARCHIVED_DAYS_MIN) return undefined;
  return `the countType ${countType} needs a countNumber of ${ARCHIVED_DAYS_MIN} or more`;
}

function whyActionFitsNone(members: Members): string | undefined {
  switch (members.get('type')) {
    case 'expire':
      return members.has('targetStorageClass') ? 'the type expire takes no targetStorageClass' : undefined;
    case 'transition':
      return members.get('targetStorageClass') === 'archive'
        ? undefined
        : 'the type transition needs the targetStorageClass "archive"';
    default:
      return 'the type must be expire or transition';
  }
}
