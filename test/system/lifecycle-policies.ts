/** A rule as it stands in a policy. */
export interface Rule {
  readonly rulePriority: number;
  readonly description?: string;
  readonly selection: object;
  readonly action: object;
}

export function policyText(...rules: readonly Rule[]): string {
  return JSON.stringify({ rules });
}

export function untaggedAfter(rulePriority: number, days: number): Rule {
  const selection = { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: days };
  return { rulePriority, description: 'expire what has no tag', selection, action: { type: 'expire' } };
}

export function keepNewest(rulePriority: number, tagPatternList: readonly string[], count: number): Rule {
  const selection = { tagStatus: 'tagged', tagPatternList, countType: 'imageCountMoreThan', countNumber: count };
  return { rulePriority, description: 'keep the newest', selection, action: { type: 'expire' } };
}
