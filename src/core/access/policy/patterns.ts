import { compileGlob, type Glob, globMatches } from './globs.ts';
import {
  type ContextKeys,
  hasVariables,
  isResolvable,
  literalText,
  parseTemplate,
  type ResolvedToken,
  resolveTemplate,
  type Token,
} from './templates.ts';

/** A pattern of a policy, compiled. */
export interface Pattern {
  /** As the policy spells it. */
  readonly source: string;
  /** Undefined when a policy variable of the pattern has no value in this request. */
  test(text: string, context: ContextKeys): boolean | undefined;
}

/** Action names: wildcards anywhere, no variables, upper and lower case alike (IAM user guide, "Action"). The text must be in lower case. */
export function compileActionPattern(source: string): Pattern {
  const glob = compileGlob(
    parseTemplate(source.toLowerCase(), { variables: false, wildcards: true }) as ResolvedToken[],
  );
  return { source, test: (text) => globMatches(glob, text) };
}

/** A text with wildcards: StringLike. */
export function compileTextPattern(source: string, variables: boolean): Pattern {
  return compiled(source, parseTemplate(source, { variables, wildcards: true }), compileGlob, globMatches);
}

/** A text without wildcards: StringEquals. `fold` is applied to both sides. */
export function compileExactText(source: string, variables: boolean, fold: (text: string) => string): Pattern {
  const tokens = parseTemplate(source, { variables, wildcards: false });
  const prepare = (resolved: readonly ResolvedToken[]) => fold(literalText(resolved));
  return compiled(source, tokens, prepare, (wanted, text) => wanted === fold(text));
}

/**
 * `Resource` and `NotResource`: by the six segments of an ARN, so that no wildcard of one reaches into the next. A pattern of
 * fewer segments is matched as a whole: a `*` that ends a segment "can expand to match beyond the colon boundaries"
 * (IAM user guide, "Resource").
 */
export function compileResourcePattern(source: string, variables: boolean): Pattern {
  const tokens = parseTemplate(source, { variables, wildcards: true });
  const segments = segmentsOf(tokens);
  if (segments.length === ARN_SEGMENTS) return compileSegments(source, segments);
  const whole = compiled(source, tokens, compileGlob, globMatches);
  if (!hasVariables(tokens)) return whole;
  return { source, test: (text, context) => (bringsColon(tokens, context) ? false : whole.test(text, context)) };
}

/** ArnEquals and ArnLike, which are the same: each of the six segments for itself (IAM user guide, "ARN condition operators"). */
export function compileArnPattern(source: string, variables: boolean): Pattern {
  const tokens = parseTemplate(source, { variables, wildcards: true });
  const segments = segmentsOf(tokens);
  if (segments.length === ARN_SEGMENTS) return compileSegments(source, segments);
  return { source, test: () => false };
}

const ARN_SEGMENTS = 6;

/** Prepares once where the pattern holds no variables, else for each request anew. */
function compiled<Prepared>(
  source: string,
  tokens: readonly Token[],
  prepare: (tokens: readonly ResolvedToken[]) => Prepared,
  matches: (prepared: Prepared, text: string) => boolean,
): Pattern {
  if (!hasVariables(tokens)) {
    const prepared = prepare(tokens as readonly ResolvedToken[]);
    return { source, test: (text) => matches(prepared, text) };
  }
  return {
    source,
    test(text, context) {
      const resolved = resolveTemplate(tokens, context);
      return resolved && matches(prepare(resolved), text);
    },
  };
}

/**
 * The five colons of an ARN are those that the policy spells, never those of a variable's value: so the cuts are made before
 * values are put in, at most six segments.
 */
function segmentsOf(tokens: readonly Token[]): Token[][] {
  const segments: Token[][] = [[]];
  for (const token of tokens) {
    if (token.kind !== 'text') segments.at(-1)!.push(token);
    else {
      let rest = token.text;
      for (let colon = rest.indexOf(':'); colon >= 0 && segments.length < ARN_SEGMENTS; colon = rest.indexOf(':')) {
        if (colon > 0) segments.at(-1)!.push({ kind: 'text', text: rest.slice(0, colon) });
        segments.push([]);
        rest = rest.slice(colon + 1);
      }
      if (rest !== '') segments.at(-1)!.push({ kind: 'text', text: rest });
    }
  }
  return segments;
}

/** A value must not bring along the colons that the pattern lacks. */
function bringsColon(tokens: readonly Token[], context: ContextKeys): boolean {
  return tokens.some((token) => token.kind === 'variable' && context.get(token.key)?.includes(':'));
}

function compileSegments(source: string, segments: readonly (readonly Token[])[]): Pattern {
  const isFixed = (segment: readonly Token[]) => segment.every(({ kind }) => kind === 'text');
  const firstOpen = segments.findIndex((segment) => !isFixed(segment));
  if (firstOpen < 0) {
    const whole = segments.map((segment) => literalText(segment as ResolvedToken[])).join(':');
    return { source, test: (arn) => arn === whole };
  }
  const fixed = segments.slice(0, firstOpen).map((segment) => `${literalText(segment as ResolvedToken[])}:`);
  const open = segments.slice(firstOpen);
  const globs = open.map((tokens) => (hasVariables(tokens) ? undefined : compileGlob(tokens as ResolvedToken[])));
  const prefix = fixed.join('');
  if (globs.every((glob) => glob !== undefined))
    return { source, test: (arn) => arn.startsWith(prefix) && segmentsMatch(globs, arn, prefix.length) };
  const all = open.flat();
  return {
    source,
    test(arn, context) {
      if (!isResolvable(all, context)) return undefined;
      const resolve = (at: number) => compileGlob(resolveTemplate(open[at]!, context)!);
      return arn.startsWith(prefix) && segmentsMatch(globs, arn, prefix.length, resolve);
    },
  };
}

/**
 * Whether the last segments of an ARN, those from `start`, match.
 *
 * @param resolve makes the glob of a segment that depends on the request
 */
function segmentsMatch(
  globs: readonly (Glob | undefined)[],
  arn: string,
  start: number,
  resolve?: (at: number) => Glob,
): boolean {
  let from = start;
  for (let at = 0; at < globs.length; at += 1) {
    const end = at === globs.length - 1 ? arn.length : arn.indexOf(':', from);
    if (end < 0 || !globMatches(globs[at] ?? resolve!(at), arn, from, end)) return false;
    from = end + 1;
  }
  return true;
}
