/** Where a string's text lies in a buffer: `start` is behind the opening quote, `end` is the closing one. */
export interface StringBounds {
  readonly start: number;
  readonly end: number;
}

export type TopLevelString =
  | { readonly found: StringBounds | undefined }
  /** The member occurs twice, or what surrounds it is longer than allowed. */
  | { readonly refused: 'twice' | 'too-long' };

/**
 * Finds the string value of a member of the one JSON object in a buffer, without making strings of it. Exact for every valid
 * document: members in any order, blanks, escaped names, the name inside other strings or deeper objects. It does
 * not check the document: who cuts the string out and parses the rest does.
 *
 * @param othersBytesMax what the document may have besides that string; bounds the work
 */
export function findTopLevelString(body: Buffer, name: string, othersBytesMax: number): TopLevelString {
  const cut: { found: StringBounds | undefined; seen: boolean } = { found: undefined, seen: false };
  const cutBytes = () => (cut.found === undefined ? 0 : cut.found.end - cut.found.start);
  let at = skipBlanks(body, 0);
  if (body[at] === OPEN_BRACE) {
    do {
      const end = skipMember(body, at + 1, othersBytesMax + cutBytes(), name, cut);
      if (end === 'twice') return { refused: 'twice' };
      if (end === 'broken') break;
      at = skipBlanks(body, end);
    } while (body[at] === COMMA && at - cutBytes() <= othersBytesMax);
  }
  return body.length - cutBytes() > othersBytesMax ? { refused: 'too-long' } : { found: cut.found };
}

/**
 * Reads one member from behind `{` or `,`, and notes its value if it is the string looked for.
 *
 * @returns the position behind the member
 */
function skipMember(
  body: Buffer,
  start: number,
  limit: number,
  name: string,
  cut: { found: StringBounds | undefined; seen: boolean },
): number | 'twice' | 'broken' {
  const keyStart = skipBlanks(body, start);
  const keyEnd = body[keyStart] === QUOTE ? stringEnd(body, keyStart) : -1;
  const colon = keyEnd < 0 ? -1 : skipBlanks(body, keyEnd);
  if (body[colon] !== COLON) return 'broken';
  const valueStart = skipBlanks(body, colon + 1);
  const valueEnd = endOfValue(body, valueStart, limit);
  if (isKey(body, keyStart, keyEnd, name)) {
    if (cut.seen) return 'twice';
    cut.seen = true;
    if (valueEnd > 0 && body[valueStart] === QUOTE) cut.found = { start: valueStart + 1, end: valueEnd - 1 };
  }
  return valueEnd < 0 ? 'broken' : valueEnd;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function skipBlanks(body: Buffer, from: number): number {
  let at = from;
  while (isBlank(body[at])) at += 1;
  return at;
}

/** @param quote the opening quote's position. @returns the position behind the closing one, -1 when there is none */
function stringEnd(body: Buffer, quote: number): number {
  for (let end = body.indexOf(QUOTE, quote + 1); end >= 0; end = body.indexOf(QUOTE, end + 1)) {
    let backslashes = 0;
    while (body[end - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
  }
  return -1;
}

/** @returns the position behind the value; -1 when it has no end, or none before `limit` */
function endOfValue(body: Buffer, start: number, limit: number): number {
  if (body[start] === QUOTE) return stringEnd(body, start);
  let depth = 0;
  for (let at = start; at < body.length && at <= limit; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) {
      at = stringEnd(body, at) - 1;
      if (at < 0) return -1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || isBlank(byte))) {
      return at;
    }
  }
  return -1;
}

/** Each character of a name may be written as an escape of six. */
function isKey(body: Buffer, start: number, end: number, name: string): boolean {
  const written = end - start - 2;
  if (written < name.length || written > name.length * 6) return false;
  const text = body.toString('latin1', start, end);
  if (!text.includes('\\')) return text.slice(1, -1) === name;
  try {
    return JSON.parse(text) === name;
  } catch {
    return false;
  }
}
