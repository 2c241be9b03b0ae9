import type { SourceFile } from './source-file.ts';

/** One sentence for every knot of files that import each other, type imports included. */
export function cycleViolations(files: readonly SourceFile[]): string[] {
  const targets = new Map(files.map((file) => [file.path, file.imports.flatMap((each) => each.file ?? [])]));
  const done = new Set<string>();
  const violations: string[] = [];
  for (const { path } of files) walk(path, []);
  return violations;

  /** Depth first; an import of a file that is still on the trail closes a ring. */
  function walk(path: string, trail: readonly string[]): void {
    const start = trail.indexOf(path);
    if (start >= 0) {
      violations.push(`${path}: import cycle: ${[...trail.slice(start), path].join(' -> ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const target of targets.get(path) ?? []) walk(target, [...trail, path]);
    done.add(path);
  }
}
