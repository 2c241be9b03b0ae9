import { ScanError } from '../../../../core/scanning/scanner.ts';

export const BLOCK_BYTES = 512;

/** One header block, as it stands (POSIX ustar, with GNU tar's sizes in base 256). */
export interface TarHeader {
  readonly name: string;
  readonly linkName: string;
  readonly type: string;
  readonly mode: number;
  readonly bytes: number;
  /** Of GNU tar's old sparse files: more blocks of their map follow. */
  readonly isExtended: boolean;
}

/** @returns undefined for a block of zeros; @throws ScanError for one that is no header */
export function parseHeader(block: Buffer): TarHeader | undefined {
  if (block[0] === 0 && block.equals(ZEROS)) return undefined;
  checkSum(block);
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156]!);
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isPosix ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: text(block, 157, 100),
    type,
    mode: number(block, 100, 8),
    bytes: number(block, 124, 12),
    isExtended: type === 'S' && block[482] !== 0,
  };
}

const ZEROS = Buffer.alloc(BLOCK_BYTES);

function text(block: Buffer, at: number, length: number): string {
  let end = at;
  while (end < at + length && block[end] !== 0) end += 1;
  return block.toString('utf8', at, end);
}

/** Octal digits, or with the first bit set a number in base 256. */
function number(block: Buffer, at: number, length: number): number {
  if ((block[at]! & 0x80) === 0) {
    let value = 0;
    let isBegun = false;
    for (let place = at; place < at + length; place += 1) {
      const code = block[place]!;
      if (code >= 0x30 && code <= 0x37) {
        value = value * 8 + code - 0x30;
        isBegun = true;
      } else if (code === 0 || isBegun) break;
      else if (code !== 0x20) throw broken(`a number is '${block.toString('latin1', at, at + length)}'`);
    }
    return value;
  }
  let value = block[at]! & 0x7f;
  if ((value & 0x40) !== 0) throw broken('a number is negative');
  for (let place = at + 1; place < at + length; place += 1) value = value * 256 + block[place]!;
  if (!Number.isSafeInteger(value)) throw broken('a number is too large');
  return value;
}

/** The sum counts its own field as eight spaces; old programs added signed bytes. */
function checkSum(block: Buffer): void {
  const expected = number(block, 148, 8);
  let sum = 8 * 0x20;
  let high = 0;
  for (let at = 0; at < BLOCK_BYTES; at += 1) {
    if (at === 148) at = 156;
    const byte = block[at]!;
    sum += byte;
    high += byte >> 7;
  }
  if (sum !== expected && sum - 256 * high !== expected) throw broken(`its sum is ${sum} and not ${expected}`);
}

function broken(why: string): ScanError {
  return new ScanError('corrupt-layer', `A header of the layer's archive is broken: ${why}`);
}
