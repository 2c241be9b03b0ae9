/**
 * Compares two runs of decimal digits as whole numbers, of any length: versions hold dates, and hostile ones more digits
 * than a number has. An empty run is 0.
 */
export function compareDigits(one: string, other: string): number {
  const left = withoutZeros(one);
  const right = withoutZeros(other);
  return left.length - right.length || compareText(left, right);
}

/** Compares by code unit; for ASCII that is the order of the bytes. */
export function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** Where the run of digits that starts at `from` ends. */
export function endOfDigits(text: string, from: number): number {
  let at = from;
  while (at < text.length && isDigit(text.charCodeAt(at))) at += 1;
  return at;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function withoutZeros(digits: string): string {
  let at = 0;
  while (digits.charCodeAt(at) === 0x30) at += 1;
  return at === 0 ? digits : digits.slice(at);
}
