import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { readSmallFile } from './layout-files.ts';
import { openTarFiles } from './tar-files.ts';
import { formatTarHeader } from './tar-header.ts';

const formats = process.platform === 'linux' ? ['ustar', 'pax', 'gnu', 'v7'] : ['ustar', 'pax'];

describe('files in a tar archive', () => {
  for (const format of formats) {
    it(`are found by their names (${format})`, async () => {
      await using folder = await temporaryFolder();
      const long = format === 'v7' ? 'short' : `${'d'.repeat(90)}/${'f'.repeat(90)}`;
      mkdirSync(join(folder.path, 'in', long, '..'), { recursive: true });
      writeFileSync(join(folder.path, 'in', long), 'long');
      writeFileSync(join(folder.path, 'in', 'empty'), '');
      const file = join(folder.path, 'out.tar');
      execFileSync('tar', [`--format=${format}`, '-cf', file, '-C', join(folder.path, 'in'), '.']);
      await using files = await openTarFiles(file);
      const content = await readSmallFile(files, long, 100);
      assert.equal(Buffer.from(content ?? []).toString(), 'long');
      assert.deepEqual(await files.stat('empty'), { bytes: 0 });
      assert.equal(await files.stat('nothing'), undefined);
    });
  }

  it('may be larger than octal digits can say', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'large.tar');
    const bytes = 9 * 1024 ** 3;
    const descriptor = openSync(file, 'w');
    writeSync(descriptor, formatTarHeader('large', bytes), 0, 512, 0);
    writeSync(descriptor, formatTarHeader('behind', 5), 0, 512, 512 + bytes);
    writeSync(descriptor, 'hello', 1024 + bytes);
    ftruncateSync(descriptor, 2048 + bytes);
    closeSync(descriptor);
    await using files = await openTarFiles(file);
    assert.deepEqual(await files.stat('large'), { bytes });
    assert.equal(Buffer.from((await readSmallFile(files, 'behind', 5)) ?? []).toString(), 'hello');
  });
});
