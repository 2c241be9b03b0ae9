/** An address or range: 16-bit words, two for IPv4 and eight for IPv6, and how many leading bits count. */
export interface AddressRange {
  readonly words: readonly number[];
  readonly prefixBits: number;
}

/** `10.0.0.0/8`, `2001:db8::/32`, or an address alone. Undefined for any other text. IPv4 within IPv6 (`::ffff:…`) is IPv4. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [, address = '', bits] = /^([^/]*)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const words = parseWords(address);
  if (words === undefined) return undefined;
  const bitsMax = words.length * WORD_BITS;
  const prefixBits = bits === undefined ? bitsMax : Number(bits);
  if (prefixBits > bitsMax) return undefined;
  if (!isMapped(words) || prefixBits < MAPPED_BITS) return { words, prefixBits };
  return { words: words.slice(6), prefixBits: prefixBits - MAPPED_BITS };
}

/** An address, perhaps with a zone (`fe80::1%eth0`). Undefined for any other text. */
export function parseAddress(text: string): readonly number[] | undefined {
  const zone = text.indexOf('%');
  const words = parseWords(zone < 0 ? text : text.slice(0, zone));
  return words && isMapped(words) ? words.slice(6) : words;
}

export function rangeHolds({ words, prefixBits }: AddressRange, address: readonly number[]): boolean {
  if (words.length !== address.length) return false;
  const whole = prefixBits >> 4;
  for (let at = 0; at < whole; at += 1) if (words[at] !== address[at]) return false;
  const rest = prefixBits & 15;
  if (rest === 0) return true;
  const shift = WORD_BITS - rest;
  return words[whole]! >> shift === address[whole]! >> shift;
}

const WORD_BITS = 16;
/** `::ffff:0:0/96` (RFC 4291, 2.5.5.2). */
const MAPPED_BITS = 96;

function isMapped(words: readonly number[]): boolean {
  return words.length === 8 && words[5] === 0xffff && words.slice(0, 5).every((word) => word === 0);
}

function parseWords(text: string): readonly number[] | undefined {
  return text.includes(':') ? parseSixteenBytes(text) : parseFourBytes(text);
}

/** Four decimal bytes without leading zeros. By character: this runs for every address of every request. */
function parseFourBytes(text: string): readonly number[] | undefined {
  const bytes: number[] = [];
  let byte = -1;
  for (let at = 0; at <= text.length; at += 1) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code === DOT) {
      if (byte < 0 || byte > 255) return undefined;
      bytes.push(byte);
      byte = -1;
    } else if (code < ZERO || code > ZERO + 9 || byte === 0 || byte > 255) return undefined;
    else byte = (byte < 0 ? 0 : byte * 10) + code - ZERO;
  }
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  return bytes.length === 4 ? [(a << 8) | b, (c << 8) | d] : undefined;
}

const DOT = 46;
const ZERO = 48;

/** RFC 4291, 2.2: eight words in hexadecimal, one run of zeros as `::`, the last two perhaps as IPv4. */
function parseSixteenBytes(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [before, after] = halves.map((half, at) => parseHalf(half, at === halves.length - 1));
  if (before === undefined || (halves.length === 2 && after === undefined)) return undefined;
  if (after === undefined) return before.length === 8 ? before : undefined;
  const zeros = 8 - before.length - after.length;
  return zeros < 1 ? undefined : [...before, ...new Array<number>(zeros).fill(0), ...after];
}

function parseHalf(text: string, isEnd: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const words: number[] = [];
  const parts = text.split(':');
  for (const [at, part] of parts.entries()) {
    const dotted = isEnd && at === parts.length - 1 && part.includes('.') ? parseFourBytes(part) : undefined;
    if (dotted !== undefined) words.push(...dotted);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) words.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return words;
}
