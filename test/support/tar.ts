const blockBytes = 512;

export interface TarEntry {
  /** Without a leading slash; a folder ends with one. */
  readonly name: string;
  readonly mode?: number;
  readonly bytes?: Buffer;
  readonly linkTo?: string;
}

/** A tar archive (ustar) of the entries, the same bytes for the same entries. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => [header(entry), padded(entry.bytes ?? Buffer.alloc(0))]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]);
}

function header({ name, mode, bytes, linkTo }: TarEntry): Buffer {
  const block = Buffer.alloc(blockBytes);
  const isFolder = name.endsWith('/');
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  block.write(name, 0, 100, 'latin1');
  octal(mode ?? (isFolder ? 0o755 : 0o644), 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes?.length ?? 0, 124, 12);
  octal(0, 136, 12);
  block.write(linkTo === undefined ? (isFolder ? '5' : '0') : '2', 156, 'latin1');
  block.write(linkTo ?? '', 157, 100, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  // The sum counts its own field as eight spaces.
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((blockBytes - (bytes.length % blockBytes)) % blockBytes)]);
}
