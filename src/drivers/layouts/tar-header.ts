import { TransferError } from '../../core/transfer/transfer.ts';

export const TAR_BLOCK_BYTES = 512;

/** A member as its header says (POSIX.1-2017, pax, "ustar Interchange Format"; GNU's long names and large numbers). */
export interface TarHeader {
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  /** Of a link. */
  readonly linkName: string;
}

/** @returns undefined for a block of zeros, which ends an archive; @throws TransferError for what is no header */
export function parseTarHeader(block: Buffer): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (sumOf(block) !== numberAt(block, 148, 8))
    throw new TransferError('invalid', 'It is no tar archive, or is damaged');
  const prefix = block.toString('latin1', 257, 262) === 'ustar' && block[263] !== 0x20 ? textAt(block, 345, 155) : '';
  const name = textAt(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 0),
    bytes: numberAt(block, 124, 12),
    linkName: textAt(block, 157, 100),
  };
}

/** What a pax header says of the member behind it: `LENGTH KEY=VALUE\n`, again and again. */
export function parsePaxRecords(content: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length; ) {
    const blank = content.indexOf(0x20, at);
    const length = Number(content.toString('latin1', at, Math.max(at, blank)));
    const end = at + length;
    if (!Number.isSafeInteger(length) || blank < at || end <= blank + 1 || end > content.length) {
      throw new TransferError('invalid', 'A pax header is damaged');
    }
    const record = content.toString('utf8', blank + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals > 0) records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
}

/** The header of a plain file or a folder (its name ends with a slash), which is the same whenever it is made. */
export function formatTarHeader(name: string, bytes: number): Buffer {
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  const isFolder = name.endsWith('/');
  block.write(name, 0, 100, 'latin1');
  writeNumber(block, isFolder ? 0o755 : 0o644, 100, 8);
  writeNumber(block, 0, 108, 8);
  writeNumber(block, 0, 116, 8);
  writeNumber(block, bytes, 124, 12);
  writeNumber(block, 0, 136, 12);
  block.write(isFolder ? '5' : '0', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(`${sumOf(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Octal, or from 8 GiB on in base 256, as GNU tar and Go write it. */
function writeNumber(block: Buffer, value: number, at: number, length: number): void {
  const octal = value.toString(8);
  if (octal.length < length) {
    block.write(`${octal.padStart(length - 1, '0')}\0`, at, 'latin1');
    return;
  }
  block.writeBigUInt64BE(BigInt(value), at + length - 8);
  block[at] = 0x80;
}

function numberAt(block: Buffer, at: number, length: number): number {
  if (((block[at] ?? 0) & 0x80) !== 0) {
    const isLarge = block[at] !== 0x80 || block.subarray(at + 1, at + length - 8).some((byte) => byte !== 0);
    const value = length < 9 || isLarge ? Number.NaN : Number(block.readBigUInt64BE(at + length - 8));
    if (Number.isSafeInteger(value)) return value;
    throw new TransferError('invalid', 'A number in the tar archive is too large');
  }
  const text = textAt(block, at, length).trim();
  if (!/^[0-7]*$/.test(text)) throw new TransferError('invalid', 'It is no tar archive, or is damaged');
  return text === '' ? 0 : Number.parseInt(text, 8);
}

/** The sum of all bytes, its own field counted as blanks. */
function sumOf(block: Buffer): number {
  let sum = 0;
  for (const [at, byte] of block.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte;
  return sum;
}

function textAt(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}
