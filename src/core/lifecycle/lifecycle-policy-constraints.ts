import { LifecyclePolicyError } from './lifecycle-policy-error.ts';
import type { RuleDocument } from './lifecycle-policy-schema.ts';

/**
 * What a rule's members ask of each other, and rules of each other (ECR user guide, "Lifecycle policies", "Considerations").
 * Known are ECR's words for a tagged rule without a list, a second untagged rule and an `any` rule that is not last; the
 * others are ours in their form. Throws LifecyclePolicyError at the first.
 */
export function checkLifecycleConstraints(
  rules: readonly RuleDocument[],
  { extensions }: { extensions: boolean },
): void {
  for (const rule of rules) {
    checkTagLists(rule);
    checkPatterns(rule, extensions);
    checkAction(rule, extensions);
  }
  checkEntries(rules);
  checkPriorities(rules);
  for (const storageClass of ['standard', 'archive'] as const)
    checkStorageClass(rules.filter(({ selection }) => (selection.storageClass ?? 'standard') === storageClass));
}

function checkTagLists({ rulePriority, selection }: RuleDocument): void {
  const { tagStatus, tagPatternList, tagPrefixList } = selection;
  if (tagStatus !== 'tagged') {
    if (tagPatternList === undefined && tagPrefixList === undefined) return;
    fail(`Cannot specify tagPrefixList or tagPatternList when tagStatus=${tagStatus.toUpperCase()}.`, rulePriority);
  }
  if (!tagPatternList?.length && !tagPrefixList?.length)
    fail('Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.', rulePriority);
  if (tagPatternList !== undefined && tagPrefixList !== undefined)
    fail('Cannot specify both tagPrefixList and tagPatternList.', rulePriority);
}

/** ECR user guide, "Lifecycle policy properties", `tagPatternList`. */
const STARS_MAX = 4;

function checkPatterns({ rulePriority, selection }: RuleDocument, extensions: boolean): void {
  for (const pattern of selection.tagPatternList ?? []) {
    if (pattern.split('*').length - 1 > STARS_MAX)
      fail(`A pattern of tagPatternList can have at most ${STARS_MAX} wildcards (*).`, rulePriority);
    if (!pattern.startsWith('!')) continue;
    // No tag begins so: taken for a pattern, it would match nothing, and a rule meant to protect would protect nothing.
    if (!extensions) fail('A pattern of tagPatternList cannot begin with an exclamation mark.', rulePriority);
    if (pattern === '!') fail('A pattern of tagPatternList must not be empty.', rulePriority);
  }
}

/**
 * ECR names no bound. Every entry may be compared with every tag of a repository; and as all entries of a list must match, a
 * long one is a mistake.
 */
const ENTRIES_MAX = 250;

function checkEntries(rules: readonly RuleDocument[]): void {
  let entries = 0;
  for (const { rulePriority, selection } of rules) {
    entries += (selection.tagPatternList ?? selection.tagPrefixList ?? []).length;
    if (entries > ENTRIES_MAX)
      fail(`The lists of all rules can have at most ${ENTRIES_MAX} prefixes and patterns together.`, rulePriority);
  }
}

/** Which counts go with which action: the tables of ECR user guide, "Lifecycle policy properties", `action`. */
function checkAction({ rulePriority, selection, action }: RuleDocument, extensions: boolean): void {
  if (selection.countType === 'sinceImagePulled' && action.type === 'expire' && !extensions)
    fail('Rule for countType=sinceImagePulled must have the action type=TRANSITION.', rulePriority);
  if (selection.countType === 'sinceImageTransitioned' && action.type === 'transition')
    fail('Rule for countType=sinceImageTransitioned must have the action type=EXPIRE.', rulePriority);
}

function checkPriorities(rules: readonly RuleDocument[]): void {
  const seen = new Set<number>();
  for (const { rulePriority } of rules) {
    if (seen.has(rulePriority)) fail('Only one rule can have the same rulePriority.', rulePriority);
    seen.add(rulePriority);
  }
}

/** @param rules those of one storage class */
function checkStorageClass(rules: readonly RuleDocument[]): void {
  const untagged = rules.filter(({ selection }) => selection.tagStatus === 'untagged');
  if (untagged[1] !== undefined)
    fail('Only one rule can select Untagged images per storage class.', untagged[1].rulePriority);
  const last = Math.max(...rules.map(({ rulePriority }) => rulePriority));
  const early = rules.find(({ rulePriority, selection }) => selection.tagStatus === 'any' && rulePriority < last);
  if (early !== undefined)
    fail('Rule for tagStatus=ANY must have the lowest priority per storage class', early.rulePriority);
  checkUniqueLists(rules);
}

/** A list is a set: neither the order of its entries nor an entry twice makes another one of it. */
function checkUniqueLists(rules: readonly RuleDocument[]): void {
  const seen = new Set<string>();
  for (const { rulePriority, selection } of rules) {
    for (const name of ['tagPatternList', 'tagPrefixList'] as const) {
      const list = selection[name];
      if (list === undefined) continue;
      const key = JSON.stringify([name, ...new Set(list.toSorted())]);
      if (seen.has(key)) fail(`Only one rule can have the same ${name} per storage class.`, rulePriority);
      seen.add(key);
    }
  }
}

function fail(message: string, rulePriority: number): never {
  throw new LifecyclePolicyError(message, `the rule with rulePriority ${rulePriority}`);
}
