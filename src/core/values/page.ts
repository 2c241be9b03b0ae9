/**
 * Splits what a query gave that was asked for one item more than a page holds.
 * @returns the page, and its last item when there is more behind it
 */
export function splitPage<T>(found: readonly T[], limit: number): { items: T[]; last?: T } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return found.length > limit && last !== undefined ? { items, last } : { items };
}
