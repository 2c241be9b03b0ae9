import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ScanError } from '../../../../core/scanning/scanner.ts';
import { readTar } from './read-tar.ts';
import { inPieces, type SomeEntry, someArchive, someEntry } from './some-archive.ts';

const LIMITS = { entriesMax: 1000 };

async function listed(archive: Buffer, pieceBytes?: number): Promise<string[]> {
  const found: string[] = [];
  for await (const { path, kind, content } of readTar(inPieces(archive, pieceBytes), LIMITS)) {
    found.push(`${kind} ${path} ${(await content.read(20)).toString()}`.trim());
  }
  return found;
}

async function refused(archive: Buffer, code: string): Promise<void> {
  await assert.rejects(listed(archive), (error) => error instanceof ScanError && error.code === code);
}

const long = `${'folder/'.repeat(30)}a file`;

describe('an archive', () => {
  it('is read entry by entry, in whatever pieces it comes', async () => {
    const archive = someArchive([
      { name: './', type: '5' },
      { name: 'etc/', type: '5' },
      { name: 'etc/one', bytes: 'one' },
      { name: './etc//two', bytes: Buffer.alloc(5000, 'x'), type: '\0' },
      { name: 'name', prefix: 'pre/fix', bytes: 'a' },
      { name: 'etc/three', type: '2', linkName: '../../outside' },
      { name: 'etc/four', type: '1', linkName: 'etc/one' },
      { name: 'null', type: '3' },
      { name: 'last', type: '7', bytes: 'z' },
    ]);
    const expected = [
      'folder',
      'folder etc',
      'file etc/one one',
      `file etc/two ${'x'.repeat(20)}`,
      'file pre/fix/name a',
      'link etc/three',
      'link etc/four',
      'other null',
      'file last z',
    ];
    for (const pieceBytes of [1, 100, 512, 700, 64 * 1024]) {
      assert.deepEqual(await listed(archive, pieceBytes), expected, `in pieces of ${pieceBytes}`);
    }
  });

  it('has long names and sizes as pax and GNU tar write them', async () => {
    const archive = someArchive([
      { name: 'short', pax: { path: long, size: '3' }, size: '0', bytes: 'pax' },
      { name: 'short', longName: `${long}!`, bytes: 'gnu' },
      { name: 'wide', size: Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4]), bytes: 'wide' },
      { name: 'all', type: 'g', bytes: '11 path=no\n' },
      { name: 'ünïcode', bytes: 'u' },
    ]);
    assert.deepEqual(await listed(archive), [
      `file ${long} pax`,
      `file ${long}! gnu`,
      'file wide wide',
      'file ünïcode u',
    ]);
  });

  it('gives no bytes of sparse files, and goes on behind them', async () => {
    const old = someEntry({ name: 'old', type: 'S', bytes: 'map' });
    old[482] = 1;
    const sum = old.subarray(0, 512).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
    old.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    const map = Buffer.alloc(1024);
    map[504] = 1;
    const withMap = Buffer.concat([old.subarray(0, 512), map, old.subarray(512)]);
    const rest = someArchive([
      { name: 'new', pax: { 'GNU.sparse.major': '1', 'GNU.sparse.name': 'real' }, bytes: 'map' },
      { name: 'after', bytes: 'a' },
    ]);
    const found = (await listed(Buffer.concat([withMap, rest]))).map((line) => line.split(' ').slice(0, 2).join(' '));
    assert.deepEqual(found, ['other old', 'other real', 'file after']);
  });

  it('may end without its blocks of zeros, and have anything behind them', async () => {
    const entry = someEntry({ name: 'a', bytes: 'a' });
    assert.deepEqual(await listed(entry), ['file a a']);
    assert.deepEqual(await listed(Buffer.concat([someArchive([]), entry])), []);
    assert.deepEqual(await listed(Buffer.alloc(0)), []);
  });

  it('is refused when a name leads outside or is none', async () => {
    const hostile: readonly SomeEntry[] = [
      { name: '../etc/passwd' },
      { name: 'a/../../b' },
      { name: 'a/..' },
      { name: '/etc/passwd' },
      { name: 'x', pax: { path: 'a\0b' } },
      { name: 'x', pax: { path: '/abs' } },
      { name: 'x', longName: '../../x' },
      { name: 'x', pax: { path: 'x/'.repeat(3000) } },
      { name: 'link', type: '1', linkName: '../../outside' },
    ];
    for (const entry of hostile) await refused(someArchive([entry]), 'hostile-path');
  });

  it('is refused when it is broken', async () => {
    const broken: readonly SomeEntry[] = [
      { isSumWrong: true },
      { size: 'zzzzzzzzzzz\0' },
      { size: Buffer.from([0xff, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0]) },
      { size: Buffer.from([0x80, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0]) },
      { pax: { size: '-1' } },
      { pax: { size: '9'.repeat(30) } },
      { type: 'x', bytes: '99 path=x\n' },
      { type: 'x', bytes: 'path=x\n' },
      { type: 'L', size: '77777777777\0' },
    ];
    for (const entry of broken) await refused(someArchive([entry]), 'corrupt-layer');
    await refused(Buffer.alloc(2048, 'not an archive'), 'corrupt-layer');
  });

  it('is refused when it ends within an entry', async () => {
    const entry = someEntry({ name: 'a', bytes: Buffer.alloc(2000, 'a') });
    for (const bytes of [1, 511, 513, 1000, 2511, entry.length - 1])
      await refused(entry.subarray(0, bytes), 'truncated-layer');
    await refused(someEntry({ type: 'x', bytes: '12 path=abc\n' }).subarray(0, 520), 'truncated-layer');
  });

  it('is refused when it has too many entries', async () => {
    await refused(someArchive(Array.from({ length: 1001 }, (_, at) => ({ name: `${at}` }))), 'too-many-entries');
    const extensions = Array.from({ length: 1001 }, () => ({ type: 'x', bytes: '12 path=abc\n' }));
    await refused(someArchive(extensions), 'too-many-entries');
  });

  it('lets go of its source when its reader stops', async () => {
    let isClosed = false;
    async function* source() {
      try {
        yield someArchive([{ name: 'a' }, { name: 'b' }]);
      } finally {
        isClosed = true;
      }
    }
    for await (const _ of readTar(source(), LIMITS)) break;
    assert.equal(isClosed, true);
  });
});
