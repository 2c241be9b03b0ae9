/** The metrics of a vector, by name. @returns undefined when it is none, or says something twice */
export function metricsOf(vector: string): ReadonlyMap<string, string> | undefined {
  const metrics = new Map<string, string>();
  const parts = vector
    .replace(/^CVSS:\d\.\d\//, '')
    .replace(/^\((.*)\)$/, '$1')
    .split('/');
  for (const part of parts) {
    const [, name, value] = /^([A-Za-z]+):([A-Za-z]+)$/.exec(part) ?? [];
    if (name === undefined || value === undefined || metrics.has(name)) return undefined;
    metrics.set(name, value);
  }
  return metrics;
}

/** What each metric's value weighs. @returns undefined when one is missing or has another value */
export function weigh<Name extends string>(
  metrics: ReadonlyMap<string, string>,
  weights: Readonly<Record<Name, Readonly<Record<string, number>>>>,
): Record<Name, number> | undefined {
  const weighed: Partial<Record<Name, number>> = {};
  for (const name of Object.keys(weights) as Name[]) {
    const value = metrics.get(name) ?? '';
    if (!Object.hasOwn(weights[name], value)) return undefined;
    weighed[name] = weights[name][value]!;
  }
  return weighed as Record<Name, number>;
}
