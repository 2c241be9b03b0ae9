/** Rules as they stand in policies of tests. */
export const expire = { type: 'expire' };
export const archive = { type: 'transition', targetStorageClass: 'archive' };

export const tagged = (...tagPatternList: string[]) => ({ tagStatus: 'tagged', tagPatternList });
export const untagged = { tagStatus: 'untagged' };
export const any = { tagStatus: 'any' };

export const moreThan = (countNumber: number) => ({ countType: 'imageCountMoreThan', countNumber });
export const pushedBefore = (days: number) => since('sinceImagePushed', days);
export const pulledBefore = (days: number) => since('sinceImagePulled', days);
export const archivedBefore = (days: number) => ({
  storageClass: 'archive',
  ...since('sinceImageTransitioned', days),
});

export const rule = (rulePriority: number, selection: object, action: object = expire) => ({
  rulePriority,
  selection,
  action,
});

function since(countType: string, countNumber: number) {
  return { countType, countUnit: 'days', countNumber };
}
