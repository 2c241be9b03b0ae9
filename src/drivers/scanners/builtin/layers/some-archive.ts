/** An entry as a test wants it, right or wrong. */
export interface SomeEntry {
  readonly name?: string;
  readonly type?: string;
  readonly mode?: number;
  readonly bytes?: Buffer | string;
  /** The field as it stands, instead of what is right. */
  readonly size?: Buffer | string;
  readonly linkName?: string;
  readonly prefix?: string;
  /** Of an extended header in front. */
  readonly pax?: Readonly<Record<string, string>>;
  /** Of GNU tar's long names in front. */
  readonly longName?: string;
  readonly isSumWrong?: boolean;
}

const BLOCK_BYTES = 512;

/** An archive of the entries with its two blocks of zeros at the end. */
export function someArchive(entries: readonly SomeEntry[]): Buffer {
  return Buffer.concat([...entries.map(someEntry), Buffer.alloc(2 * BLOCK_BYTES)]);
}

export function someEntry(entry: SomeEntry): Buffer {
  const { pax, longName, ...own } = entry;
  const blocks: Buffer[] = [];
  if (pax !== undefined) blocks.push(someEntry({ name: 'pax', type: 'x', bytes: paxBytes(pax) }));
  if (longName !== undefined) blocks.push(someEntry({ name: '././@LongLink', type: 'L', bytes: `${longName}\0` }));
  const bytes = Buffer.from(own.bytes ?? '');
  const padding = Buffer.alloc((BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES);
  return Buffer.concat([...blocks, headerOf(own, bytes.length), bytes, padding]);
}

function headerOf(entry: SomeEntry, bytes: number): Buffer {
  const { name = 'file', type = '0', mode = 0o644, size, linkName = '', prefix = '', isSumWrong } = entry;
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(name, 0, 100);
  block.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
  const sized = size ?? `${bytes.toString(8).padStart(11, '0')}\0`;
  Buffer.from(sized as string).copy(block, 124, 0, 12);
  block.write(type, 156, 'latin1');
  block.write(linkName, 157, 100);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(prefix, 345, 155);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, isSumWrong ? 1 : 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function paxBytes(records: Readonly<Record<string, string>>): string {
  return Object.entries(records)
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`;
      let length = Buffer.byteLength(rest);
      while (length !== Buffer.byteLength(rest) + String(length).length)
        length = Buffer.byteLength(rest) + String(length).length;
      return `${length}${rest}`;
    })
    .join('');
}

/** In pieces of so many bytes, each in memory that is filled anew when the next is asked for, as a store's. */
export async function* inPieces(bytes: Buffer, pieceBytes = 64 * 1024): AsyncGenerator<Uint8Array> {
  const piece = Buffer.alloc(pieceBytes);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const copied = bytes.copy(piece, 0, at);
    yield piece.subarray(0, copied);
    piece.fill(0xee);
  }
}
