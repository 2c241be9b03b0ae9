/** Where a segment stands in its file. */
export interface Segment {
  readonly offset: number;
  readonly bytes: number;
}

/** The writable segments of an ELF program, in the order of the file (ELF-64 and ELF-32, either byte order). */
export function writableSegments(head: Buffer): Segment[] {
  if (head.length < 64 || !isElf(head)) return [];
  const is64 = head[4] === 2;
  const isLittle = head[5] !== 2;
  const half = (at: number) => (isLittle ? head.readUInt16LE(at) : head.readUInt16BE(at));
  const word = (at: number) => (isLittle ? head.readUInt32LE(at) : head.readUInt32BE(at));
  const long = (at: number) => Number(isLittle ? head.readBigUInt64LE(at) : head.readBigUInt64BE(at));
  const start = is64 ? long(32) : word(28);
  const size = half(is64 ? 54 : 42);
  const count = half(is64 ? 56 : 44);
  const segments: Segment[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = start + index * size;
    if (!Number.isSafeInteger(at) || size < (is64 ? 56 : 32) || at + size > head.length) break;
    const flags = word(at + (is64 ? 4 : 24));
    if (word(at) !== LOADED || (flags & WRITABLE) === 0) continue;
    segments.push(
      is64 ? { offset: long(at + 8), bytes: long(at + 32) } : { offset: word(at + 4), bytes: word(at + 16) },
    );
  }
  return segments
    .filter(({ offset, bytes }) => Number.isSafeInteger(offset) && Number.isSafeInteger(bytes))
    .sort((one, other) => one.offset - other.offset);
}

const LOADED = 1;
const WRITABLE = 2;

function isElf(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32BE(0) === 0x7f454c46;
}
