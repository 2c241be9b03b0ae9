/** Zero-based, both ends included. */
export interface HttpRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads a Range header against a representation of a size (RFC 9110, 14.1.2 and 14.2).
 *
 * @returns undefined when the whole is to be sent: no header, another unit, broken syntax, several ranges
 */
export function parseRange(header: string | undefined, bytes: number): HttpRange | 'unsatisfiable' | undefined {
  if (header === undefined) return undefined;
  const parts = SINGLE_RANGE.exec(header);
  if (parts === null) return undefined;
  const [, first = '', last = ''] = parts;
  if (first === '') return suffixRange(last, bytes);
  const from = Number(first);
  const to = last === '' ? bytes - 1 : Number(last);
  if (last !== '' && to < from) return undefined;
  return from < bytes ? { first: from, last: Math.min(to, bytes - 1) } : 'unsatisfiable';
}

const SINGLE_RANGE = /^bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*$/i;

function suffixRange(length: string, bytes: number): HttpRange | 'unsatisfiable' | undefined {
  if (length === '') return undefined;
  const wanted = Number(length);
  if (wanted === 0) return 'unsatisfiable';
  // Content-Range cannot express a part of nothing, so an empty representation is sent whole.
  return bytes === 0 ? undefined : { first: Math.max(0, bytes - wanted), last: bytes - 1 };
}
