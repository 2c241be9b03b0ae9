import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, runAny } from '../test/support/programs.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

const env = { PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) };
const own = {
  name: 'packed',
  version: '1.2.3',
  type: 'module',
  files: ['tools'],
  engines: { node: '>=20' },
  scripts: {
    prepack: 'exec node tools/package-manifest.ts publish',
    postpack: 'exec node tools/package-manifest.ts restore',
  },
  dependencies: { kysely: '1.0.0' },
};

describe('the manifest while packing', () => {
  it('is packed without dependencies and scripts, and stays as it was in the checkout', async () => {
    await using folder = await checkoutOf(JSON.stringify(own));
    await run(['npm', 'pack', '--silent'], { cwd: folder.path, env });
    assert.equal(readFileSync(join(folder.path, 'package.json'), 'utf8'), JSON.stringify(own));
    const packed = await run(['tar', '-xzOf', 'packed-1.2.3.tgz', 'package/package.json'], { cwd: folder.path });
    const { name, version, type, files } = own;
    assert.deepEqual(JSON.parse(packed), { name, version, type, files, engines: { node: '>=26' } });
  });

  it('comes back when packing fails', async () => {
    await using folder = await checkoutOf(JSON.stringify(own));
    const { code } = await runAny(['npm', 'pack', '--silent', '--pack-destination', '/dev/null/none'], {
      cwd: folder.path,
      env,
    });
    assert.notEqual(code, 0);
    const current = () => readFileSync(join(folder.path, 'package.json'), 'utf8');
    for (let waits = 0; current() !== JSON.stringify(own) && waits < 100; waits++) await sleep(100);
    assert.equal(current(), JSON.stringify(own));
  });

  it('is left alone when it was edited meanwhile', async () => {
    const scripts = { ...own.scripts, postpack: `echo '{"name":"edited"}' > package.json && ${own.scripts.postpack}` };
    await using folder = await checkoutOf(JSON.stringify({ ...own, scripts }));
    const { code, stderr } = await runAny(['npm', 'pack'], { cwd: folder.path, env });
    assert.notEqual(code, 0);
    assert.match(stderr, /package\.json was changed while it was packed; the original is/);
    assert.equal(readFileSync(join(folder.path, 'package.json'), 'utf8'), '{"name":"edited"}\n');
  });
});

async function checkoutOf(manifest: string) {
  const folder = await temporaryFolder();
  mkdirSync(join(folder.path, 'tools'));
  copyFileSync(join(import.meta.dirname, 'package-manifest.ts'), join(folder.path, 'tools', 'package-manifest.ts'));
  writeFileSync(join(folder.path, 'package.json'), manifest);
  symlinkSync(join(import.meta.dirname, '..', 'node_modules'), join(folder.path, 'node_modules'));
  return folder;
}
