import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32, deflateRawSync } from 'node:zlib';

/** A zip archive of the files, packed or not. */
export function someZip(files: Readonly<Record<string, Buffer | string>>, isPacked = true): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content as string);
    const packed = isPacked ? deflateRawSync(bytes) : bytes;
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(isPacked ? 8 : 0, 4);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\0', 'latin1'), fields, place, Buffer.from(name));
    const local = [Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), packed];
    parts.push(...local);
    offset += local.reduce((sum, part) => sum + part.length, 0);
  }
  const table = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(Object.keys(files).length, 8);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(table.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, table, end]);
}

export interface SomeRpm {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly epoch?: number;
  readonly source?: string;
}

/** A database as rpm leaves it, with its log mode in the header; `sql` instead of the table's own. */
export function someRpmDatabase(
  packages: readonly SomeRpm[],
  sql = "create table 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)",
): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-test-'));
  try {
    const file = join(folder, 'rpmdb.sqlite');
    const database = new DatabaseSync(file);
    database.exec(`pragma journal_mode = wal; ${sql}`);
    for (const one of packages) database.prepare('insert into Packages (blob) values (?)').run(rpmHeader(one));
    database.close();
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function rpmHeader({ name, version, release, epoch, source }: SomeRpm): Buffer {
  const tags: [tag: number, type: number, value: Buffer][] = [
    [1000, 6, Buffer.from(`${name}\0`)],
    [1001, 6, Buffer.from(`${version}\0`)],
    [1002, 6, Buffer.from(`${release}\0`)],
    [1022, 6, Buffer.from('x86_64\0')],
  ];
  if (source !== undefined) tags.push([1044, 6, Buffer.from(`${source}\0`)]);
  if (epoch !== undefined) tags.push([1003, 4, Buffer.from([0, 0, 0, epoch])]);
  const index = Buffer.alloc(8 + 16 * tags.length);
  index.writeUInt32BE(tags.length, 0);
  let offset = 0;
  for (const [at, [tag, type, value]] of tags.entries()) {
    for (const [place, word] of [tag, type, offset, 1].entries()) index.writeUInt32BE(word, 8 + at * 16 + place * 4);
    offset += value.length;
  }
  index.writeUInt32BE(offset, 4);
  return Buffer.concat([index, ...tags.map(([, , value]) => value)]);
}

/** A 64-bit little-endian ELF program whose writable segment holds what Go's linker puts there. */
export function someGoProgram(goVersion: string, modules: readonly string[], { at = 0, flags = 2 } = {}): Buffer {
  const sentinel = Buffer.alloc(16, 0x30);
  const text = Buffer.concat([sentinel, Buffer.from(modules.map((line) => `${line}\n`).join('')), sentinel]);
  const info = Buffer.concat([
    Buffer.alloc(at),
    Buffer.from('\xff Go buildinf:', 'latin1'),
    Buffer.from([8, flags]),
    Buffer.alloc(16),
    withLength(Buffer.from(goVersion)),
    withLength(text),
  ]);
  const offset = 64 * 1024;
  const head = Buffer.alloc(64 + 56);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(1, 64);
  head.writeUInt32LE(6, 68);
  head.writeBigUInt64LE(BigInt(offset), 72);
  head.writeBigUInt64LE(BigInt(info.length), 96);
  return Buffer.concat([head, Buffer.alloc(offset - head.length), info, Buffer.alloc(1000)]);
}

function withLength(bytes: Buffer): Buffer {
  const length: number[] = [];
  let left = bytes.length;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) length.push((left % 0x80) | 0x80);
  return Buffer.concat([Buffer.from([...length, left]), bytes]);
}
