import { posix } from 'node:path';

export interface SourceFile {
  /** From the root of the checkout, with slashes. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** The code without comments, every string replaced by "#N". */
  readonly code: string;
}

export interface Import {
  readonly line: number;
  /** As written. */
  readonly specifier: string;
  /** Path of the file named by a relative specifier. */
  readonly file: string | undefined;
}

/** Reads what a file imports: static, type-only, re-exported, dynamic with a literal, and `import('…')` types. */
export function sourceFile(path: string, text: string): SourceFile {
  const { code, strings } = withoutText(text);
  const imports: Import[] = [];
  for (const match of code.matchAll(importForms)) {
    const specifier = strings[Number(match[1] ?? match[2] ?? match[3])] ?? '';
    const line = code.slice(0, match.index + match[0].length).split('\n').length;
    const file = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined;
    imports.push({ line, specifier, file });
  }
  return { path, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0), imports, code };
}

const importForms =
  /^[ \t]*(?:import|export)\b[^";]*?\bfrom\s*"#(\d+)"|^[ \t]*import\s*"#(\d+)"|\bimport\s*\(\s*"#(\d+)"/gm;

/** Comments, strings and regular expressions, in the order in which a reader meets them. */
const pieces = new RegExp(
  [
    String.raw`\/\/[^\n]*|\/\*[\s\S]*?\*\/`,
    String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\x60(?:\\[\s\S]|[^\x60\\])*\x60`,
    String.raw`(?<=[=(,:;!&|?{}\n]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*`,
  ].join('|'),
  'g',
);

/** Blanks what is not code. Newlines stay where they were, so that line numbers stay true. */
function withoutText(text: string): { code: string; strings: string[] } {
  const strings: string[] = [];
  const code = text.replace(pieces, (piece) => {
    const newlines = piece.replace(/[^\n]/g, '');
    if (/^\/[/*]/.test(piece)) return newlines;
    return `"#${strings.push(piece.slice(1, -1)) - 1}"${newlines}`;
  });
  return { code, strings };
}
