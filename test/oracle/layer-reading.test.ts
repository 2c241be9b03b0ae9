import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { decompress } from '../../src/drivers/scanners/builtin/layers/decompress.ts';
import { layerLimits } from '../../src/drivers/scanners/builtin/layers/layer-limits.ts';
import { readTar } from '../../src/drivers/scanners/builtin/layers/read-tar.ts';
import { parseDpkgStatus } from '../../src/drivers/scanners/builtin/packages/dpkg-status.ts';
import { findProgram, run } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const STATUS = '/var/lib/dpkg/status';

const missing = (...names: string[]) => names.find((name) => findProgram(name) === undefined);
const skipFor = (...names: string[]) =>
  missing(...names) === undefined ? false : `${missing(...names)} is not on this machine`;

for (const format of ['v7', 'ustar', 'gnu', 'posix', 'gnu --sparse', 'posix --sparse']) {
  for (const [compression, program] of [
    ['', 'tar'],
    ['--gzip', 'gzip'],
    ['--zstd', 'zstd'],
  ] as const) {
    it(`what tar packs is found: ${format} ${compression}`, { skip: skipFor('tar', program) }, async () => {
      await using folder = await temporaryFolder();
      const root = join(folder.path, 'root');
      const isShort = format === 'v7' || format === 'ustar';
      await makeFiles(root, isShort ? 60 : 300);
      const file = join(folder.path, 'archive');
      await run([
        'tar',
        '-C',
        root,
        `--format=${format.split(' ')[0]}`,
        ...format.split(' ').slice(1),
        ...words(compression),
        '-cf',
        file,
        '.',
      ]);
      const expected = (await run(['tar', '--quoting-style=literal', '-tf', file])).trim().split('\n');
      const found: string[] = [];
      for await (const { path, content, kind } of readTar(
        decompress(createReadStream(file), layerLimits),
        layerLimits,
      )) {
        found.push(path);
        if (kind !== 'file' || path === 'large') continue;
        const bytes = await content.read(content.bytes);
        assert.ok(bytes.equals(await readFile(join(root, path))), path);
      }
      assert.deepEqual(
        found,
        expected.map((name) => name.replace(/^\.\/|\/$/g, '')),
      );
    });
  }
}

it('what dpkg says is installed is found in its status', { skip: skipFor('dpkg-query') }, async () => {
  const fields = ['db:Status-Status', 'Package', 'Version', 'source:Package', 'source:Version'];
  const format = `${fields.map((field) => `\${${field}}`).join(' ')}\n`;
  const said = (await run(['dpkg-query', '-W', '-f', format])).trim().split('\n');
  const expected = said
    .filter((line) => !/^(?:config-files|not-installed) /.test(line))
    .map((line) => line.replace(/^\S+ /, ''));
  const found = parseDpkgStatus(await readFile(STATUS, 'utf8')).map(
    ({ name, version, source = { name, version } }) => `${name} ${version} ${source.name} ${source.version}`,
  );
  assert.deepEqual(found.sort(), expected.sort());
});

function words(text: string): string[] {
  return text === '' ? [] : [text];
}

async function makeFiles(root: string, nameBytes: number): Promise<void> {
  const deep = join(root, 'd'.repeat(nameBytes / 3), 'e'.repeat(nameBytes / 3));
  await mkdir(deep, { recursive: true });
  await writeFile(join(deep, 'f'.repeat(nameBytes / 4)), 'deep');
  await writeFile(join(root, 'ünïcode 漢字'), 'name');
  for (const bytes of [0, 1, 511, 512, 513, 100_000])
    await writeFile(join(root, `of ${bytes}`), Buffer.alloc(bytes, 'x'));
  await writeFile(join(root, 'large'), 'begin');
  await truncate(join(root, 'large'), 2_000_000);
  await run(['ln', '-s', '/etc/passwd', join(root, 'link')]);
  await run(['ln', join(root, 'of 1'), join(root, 'other name of 1')]);
}
