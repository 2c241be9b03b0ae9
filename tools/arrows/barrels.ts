import type { SourceFile } from './source-file.ts';

/** What a package must export from one place. */
const allowed = new Set(['src/index.ts']);

/** One sentence for every file that does nothing but export what others wrote. */
export function barrelViolations(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path, code }) => !allowed.has(path) && isBarrel(code))
    .map(({ path }) => `${path}: only re-exports; import from the files themselves`);
}

function isBarrel(code: string): boolean {
  const rest = code
    .replace(/^[ \t]*export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s*"#\d+";?/gm, '')
    .replace(/^[ \t]*import\b[^";]*?\bfrom\s*"#\d+";?/gm, '')
    .replace(/^[ \t]*export\s+(?:type\s+)?\{[^}]*\};?/gm, '');
  return rest.trim() === '' && /\bexport\b/.test(code);
}
