import { duplicateMember } from '../access/policy/json-members.ts';
import type { SchemaFinding } from './json-schema.ts';
import { checkLifecycleConstraints } from './lifecycle-policy-constraints.ts';
import { LifecyclePolicyError } from './lifecycle-policy-error.ts';
import {
  type CountType,
  type LifecycleDocument,
  lifecycleSchema,
  type RuleDocument,
} from './lifecycle-policy-schema.ts';
import type { TagSelection } from './tag-selection.ts';

/** A lifecycle policy, checked. */
export interface LifecyclePolicy {
  /** In ascending order of their priorities. */
  readonly rules: readonly LifecycleRule[];
  /** Extension: `index` makes an index and its untagged children one image; ECR has `manifest` alone. */
  readonly imageUnit: 'manifest' | 'index';
}

export interface LifecycleRule {
  /** From 1; unique in its policy. */
  readonly rulePriority: number;
  readonly description?: string;
  readonly tags: TagSelection;
  readonly storageClass: LifecycleStorageClass;
  readonly countType: CountType;
  /** Images for imageCountMoreThan, else days. */
  readonly countNumber: number;
  readonly action: LifecycleAction;
}

export type LifecycleStorageClass = 'STANDARD' | 'ARCHIVE';

/** A transition goes into the archive, there is no other. */
export type LifecycleAction = 'EXPIRE' | 'TRANSITION';

export interface LifecyclePolicyOptions {
  /** Whether what ECR has not is taken too (docs/decisions/0010-lifecycle-extensions.md). */
  readonly extensions: boolean;
  /** ECR quota: 50. */
  readonly rulesMax: number;
}

/** Reads a policy (ECR user guide, "Lifecycle policies"). Throws LifecyclePolicyError, whose message is ECR's where it is known. */
export function parseLifecyclePolicy(text: string, options: LifecyclePolicyOptions): LifecyclePolicy {
  const parsed = objectOf(text);
  const findings: SchemaFinding[] = [];
  lifecycleSchema(options)(parsed, '', findings);
  if (findings.length > 0) throw schemaError(findings);
  const document = parsed as LifecycleDocument;
  checkLifecycleConstraints(document.rules, options);
  const rules = document.rules.map(ruleOf).sort((one, other) => one.rulePriority - other.rulePriority);
  return { rules, imageUnit: document.imageUnit ?? 'manifest' };
}

function objectOf(text: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw notMapped(`the text is not JSON: ${(error as Error).message}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw notMapped('the text is not a JSON object');
  const duplicate = duplicateMember(text);
  if (duplicate !== undefined) throw notMapped(`the member '${duplicate.slice(0, 100)}' is twice in one object`);
  return parsed;
}

function notMapped(explanation: string): LifecyclePolicyError {
  return new LifecyclePolicyError('Could not map policyString into LifecyclePolicy.', explanation);
}

/** Enough to mend a document by; a hostile one has thousands. */
const FINDINGS_MAX = 10;

function schemaError(findings: readonly SchemaFinding[]): LifecyclePolicyError {
  const told = findings.slice(0, FINDINGS_MAX);
  const places = told.map(({ place, why }) => {
    const where = place === '' ? 'the document' : place;
    return why === undefined ? where : `${where}: ${why}`;
  });
  return new LifecyclePolicyError(
    told.map(({ message }) => `${message}\n`).join(''),
    `at ${[...new Set(places)].join('; ')}`,
  );
}

function ruleOf({ rulePriority, description, selection, action }: RuleDocument): LifecycleRule {
  return {
    rulePriority,
    ...(description !== undefined && { description }),
    tags: tagsOf(selection),
    storageClass: selection.storageClass === 'archive' ? 'ARCHIVE' : 'STANDARD',
    countType: selection.countType,
    countNumber: selection.countNumber,
    action: action.type === 'expire' ? 'EXPIRE' : 'TRANSITION',
  };
}

function tagsOf({ tagStatus, tagPatternList, tagPrefixList }: RuleDocument['selection']): TagSelection {
  if (tagStatus !== 'tagged') return { status: tagStatus };
  if (tagPrefixList !== undefined) return { status: 'tagged', by: 'prefix', entries: tagPrefixList, excluded: [] };
  const patterns = tagPatternList ?? [];
  return {
    status: 'tagged',
    by: 'pattern',
    entries: patterns.filter((pattern) => !pattern.startsWith('!')),
    excluded: patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1)),
  };
}
