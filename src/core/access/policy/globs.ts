import type { ResolvedToken } from './templates.ts';

/**
 * A text with wildcards, cut at each `*` into chunks: the first is where the text begins, the last where it ends, those
 * between come in order, each at its first possible place. No place is tried twice for one chunk, so the work is at most
 * the text's length times that of the longest chunk, whatever the pattern: there is nothing to go back to.
 */
export interface Glob {
  readonly head: Chunk;
  readonly middle: readonly Chunk[];
  /** Undefined when there is no `*`: then the head is all. */
  readonly tail: Chunk | undefined;
}

interface Chunk {
  readonly text: string;
  /** Where a `?` stands for any one character; undefined when there is none. */
  readonly holes: ReadonlySet<number> | undefined;
}

export function compileGlob(tokens: readonly ResolvedToken[]): Glob {
  const chunks: Chunk[] = [];
  let text = '';
  let holes: Set<number> | undefined;
  for (const token of tokens) {
    if (token.kind === 'run') {
      chunks.push({ text, holes });
      text = '';
      holes = undefined;
    } else if (token.kind === 'text') text += token.text;
    else {
      holes = (holes ?? new Set()).add(text.length);
      text += '?';
    }
  }
  const last = { text, holes };
  const [head] = chunks;
  if (head === undefined) return { head: last, middle: [], tail: undefined };
  return { head, middle: chunks.slice(1).filter((chunk) => chunk.text !== ''), tail: last };
}

/** Whether the glob matches the text from `start` up to `end`. */
export function globMatches({ head, middle, tail }: Glob, text: string, start = 0, end = text.length): boolean {
  if (tail === undefined) return end - start === head.text.length && chunkIsAt(head, text, start);
  if (head.text.length + tail.text.length > end - start) return false;
  if (!chunkIsAt(head, text, start)) return false;
  const tailStart = end - tail.text.length;
  if (!chunkIsAt(tail, text, tailStart)) return false;
  let at = start + head.text.length;
  for (const chunk of middle) {
    const found = findChunk(chunk, text, at, tailStart);
    if (found < 0) return false;
    at = found + chunk.text.length;
  }
  return true;
}

/** By character: chunks are short, and this is where a decision's time goes. */
function chunkIsAt({ text: wanted, holes }: Chunk, text: string, at: number): boolean {
  for (let i = 0; i < wanted.length; i += 1) {
    if (text.charCodeAt(at + i) !== wanted.charCodeAt(i) && !holes?.has(i)) return false;
  }
  return true;
}

/** The first place of the chunk from `start` that ends by `end`, or -1. */
function findChunk(chunk: Chunk, text: string, start: number, end: number): number {
  const last = end - chunk.text.length;
  for (let at = start; at <= last; at += 1) if (chunkIsAt(chunk, text, at)) return at;
  return -1;
}
