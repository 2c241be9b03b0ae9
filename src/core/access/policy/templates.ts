import { PolicyError } from './policy-error.ts';

/** Facts of a request by condition key, in lower case (key names are not case-sensitive). A list has several values. */
export type ContextKeys = ReadonlyMap<string, string | readonly string[]>;

/** A piece of a policy's text: literal, `*`, `?`, or a policy variable (IAM user guide, "Variables and tags"). */
export type Token =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'run' }
  | { readonly kind: 'one' }
  | { readonly kind: 'variable'; readonly key: string; readonly fallback?: string };

export type ResolvedToken = Exclude<Token, { kind: 'variable' }>;

export interface TemplateOptions {
  /** Whether `${…}` is a variable; documents of version 2008-10-17 have none. */
  readonly variables: boolean;
  /** Whether `*` and `?` are wildcards. */
  readonly wildcards: boolean;
}

/** Cuts a policy's text into tokens. Throws PolicyError for a variable that cannot be read. */
export function parseTemplate(text: string, { variables, wildcards }: TemplateOptions): Token[] {
  const tokens: Token[] = [];
  let literal = '';
  const push = (token: Token) => {
    if (literal !== '') tokens.push({ kind: 'text', text: literal });
    literal = '';
    tokens.push(token);
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (variables && character === '$' && text[at + 1] === '{') {
      const { token, end } = readVariable(text, at);
      if (token.kind === 'text') literal += token.text;
      else push(token);
      at = end;
    } else if (wildcards && character === '*') push(RUN);
    else if (wildcards && character === '?') push(ONE);
    else literal += character;
  }
  if (literal !== '') tokens.push({ kind: 'text', text: literal });
  return tokens;
}

/**
 * Puts values in place of variables; they are literal, whatever characters they hold. Undefined when a variable has neither
 * one value in the request nor a default: then what it stands in cannot match.
 */
export function resolveTemplate(tokens: readonly Token[], context: ContextKeys): ResolvedToken[] | undefined {
  const resolved: ResolvedToken[] = [];
  for (const token of tokens) {
    if (token.kind !== 'variable') resolved.push(token);
    else {
      const value = context.get(token.key);
      const text = typeof value === 'string' ? value : token.fallback;
      if (text === undefined) return undefined;
      resolved.push({ kind: 'text', text });
    }
  }
  return resolved;
}

/** Whether every variable has one value in the request, or a default. */
export function isResolvable(tokens: readonly Token[], context: ContextKeys): boolean {
  return tokens.every(
    (token) => token.kind !== 'variable' || token.fallback !== undefined || typeof context.get(token.key) === 'string',
  );
}

export function hasVariables(tokens: readonly Token[]): boolean {
  return tokens.some(({ kind }) => kind === 'variable');
}

/** The text of tokens without wildcards. */
export function literalText(tokens: readonly ResolvedToken[]): string {
  return tokens.map((token) => (token.kind === 'text' ? token.text : '')).join('');
}

const RUN: Token = { kind: 'run' };
const ONE: Token = { kind: 'one' };

/** `${key}`, `${key, 'default'}`, and `${*}`, `${?}`, `${$}` for the characters themselves. */
const VARIABLE = /^\s*([\w.-][^\s:,'{}]*:[^,'{}]*[^,'{}\s])\s*(?:,\s*'([^']*)'\s*)?$/;

function readVariable(text: string, start: number): { token: Token; end: number } {
  const end = endOfVariable(text, start + 2);
  if (end < 0) throw new PolicyError(`The policy variable at '${text.slice(start, start + 40)}' is not closed`);
  const inner = text.slice(start + 2, end);
  if (inner === '*' || inner === '?' || inner === '$') return { token: { kind: 'text', text: inner }, end };
  const [, key, fallback] = VARIABLE.exec(inner) ?? [];
  if (key === undefined) throw new PolicyError(`'\${${inner}}' is not a policy variable`);
  const token: Token = { kind: 'variable', key: key.toLowerCase(), ...(fallback !== undefined && { fallback }) };
  return { token, end };
}

/** A closing brace within the quotes of a default does not close the variable. */
function endOfVariable(text: string, start: number): number {
  let quoted = false;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === "'") quoted = !quoted;
    else if (text[at] === '}' && !quoted) return at;
  }
  return -1;
}
