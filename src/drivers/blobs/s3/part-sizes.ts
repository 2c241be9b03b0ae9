import type { ByteRange } from '../../../core/blob-store.ts';

const MIB = 1024 * 1024;

/** S3 takes 10,000 parts, each of 5 MiB or more but the last; with these sizes they hold 58,000 MiB at the least. */
const FEW_PARTS = 1000;

/** How large a part is made while bytes stream in. */
export function partBytesOf(partNumber: number): number {
  return partNumber <= FEW_PARTS ? 8 * MIB : 16 * MIB;
}

/** How large a part must be when others may follow it; less than that stays a tail. */
export function partBytesMin(partNumber: number): number {
  return partNumber <= FEW_PARTS ? 5 * MIB : 6 * MIB;
}

/** S3 copies up to 5 GiB in a request; answers come sooner for less. */
const COPY_BYTES_MAX = 1024 * MIB;

/** The pieces in which the first bytes of an object are copied into parts, none of them too small. */
export function copyRanges(bytes: number): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (let first = 0; first < bytes; ) {
    const left = bytes - first;
    const taken = left < COPY_BYTES_MAX + partBytesMin(1) ? left : COPY_BYTES_MAX;
    ranges.push({ first, last: first + taken - 1 });
    first += taken;
  }
  return ranges;
}
