/** Whether two values say the same, whatever the order of members; what is undefined is not there. */
export function isSameValue(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

/** Likewise JSON documents; lifecycle rules are in the order of their priorities wherever they stand. */
export function isSameDocument(one: string, other: string | undefined): boolean {
  if (other === undefined) return false;
  try {
    return isSameValue(inOrder(JSON.parse(one)), inOrder(JSON.parse(other)));
  } catch {
    return one === other;
  }
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}

function inOrder(document: unknown): unknown {
  const rules = (document as { rules?: unknown } | null)?.rules;
  if (!Array.isArray(rules)) return document;
  const priority = (rule: unknown) => Number((rule as { rulePriority?: unknown } | null)?.rulePriority);
  return { ...(document as object), rules: rules.toSorted((one, other) => priority(one) - priority(other)) };
}
