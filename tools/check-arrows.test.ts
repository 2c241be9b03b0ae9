import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

describe('the check of import arrows', () => {
  it('passes a tree that keeps the rules', async () => {
    const { status, output } = await check({
      'src/core/digest.ts': "import { createHash } from 'node:crypto';\nexport const a = createHash;\n",
      'src/core/digest.test.ts':
        "import { it } from 'node:test';\nimport { a } from './digest.ts';\nit('a', () => a);\n",
      'src/drivers/blobs/memory/store.ts':
        "import type { a } from '../../../core/digest.ts';\nexport type B = typeof a;\n",
      'src/compose.ts': "// import x from './main.ts'\nexport { a } from './core/digest.ts';\nexport const c = 1;\n",
      'src/index.ts': "export { c } from './compose.ts';\n",
    });
    assert.equal(status, 0, output);
  });

  const violations: Record<string, [path: string, text: string, complaint: RegExp]> = {
    'core that imports a driver': [
      'src/core/a.ts',
      "import '../drivers/metadata/sqlite.ts';\nexport const a = 1;\n",
      /src\/core\/a\.ts:1: imports \.\.\/drivers\/metadata\/sqlite\.ts: src\/core\/ may import only src\/core\//,
    ],
    'core that imports a type of a protocol': [
      'src/core/a.ts',
      "\nimport type {\n  B,\n} from '../protocols/oci/b.ts';\nexport type A = B;\n",
      /src\/core\/a\.ts:4: imports .*b\.ts/,
    ],
    'core that names a type by import()': [
      'src/core/a.ts',
      "export type A = import('../http/b.ts').B;\n",
      /src\/core\/a\.ts:1: imports \.\.\/http\/b\.ts/,
    ],
    'core that reads the file system': [
      'src/core/a.ts',
      "import { readFile } from 'node:fs/promises';\nexport const a = readFile;\n",
      /may import only node:crypto, node:stream/,
    ],
    'core that uses a package': [
      'src/core/a.ts',
      "import { x } from 'kysely';\nexport const a = x;\n",
      /may import no package/,
    ],
    'a protocol that knows another': [
      'src/protocols/oci/a.ts',
      "export const a = () => import('../aws/b.ts');\n",
      /src\/protocols\/oci\/ may import only src\/protocols\/oci\/, src\/core\/, src\/http\//,
    ],
    'a protocol that knows a driver': [
      'src/protocols/aws/a.ts',
      "import { s } from '../../drivers/metadata/sqlite.ts';\nexport const a = s;\n",
      /src\/protocols\/aws\/ may import only/,
    ],
    'a driver that knows another': [
      'src/drivers/blobs/filesystem/a.ts',
      "import { s } from '../memory/s.ts';\nexport const a = s;\n",
      /src\/drivers\/blobs\/filesystem\/ may import only/,
    ],
    'http that knows core': [
      'src/http/a.ts',
      "import { e } from '../core/e.ts';\nexport const a = e;\n",
      /src\/http\/ may import only/,
    ],
    'a system test that reaches into the sources': [
      'test/system/a.test.ts',
      "import { e } from '../../src/core/e.ts';\nexport const a = e;\n",
      /test\/system\/ may import only/,
    ],
    'a file that imports itself in a ring': [
      'src/core/a.ts',
      "import type { B } from './values/b.ts';\nexport type A = B;\n",
      /import cycle: src\/core\/a\.ts -> src\/core\/values\/b\.ts -> src\/core\/a\.ts/,
    ],
    'a barrel': [
      'src/core/all.ts',
      "// everything\nexport * from './values/b.ts';\nexport type { C } from './c.ts';\n",
      /only re-exports/,
    ],
    'a file of 401 lines': ['src/http/a.ts', 'export const a = 1;\n'.repeat(401), /401 lines; a file has at most 400/],
  };
  for (const [name, [path, text, complaint]] of Object.entries(violations)) {
    it(`catches ${name}`, async () => {
      const ring = "import type { A } from '../a.ts';\nexport type B = A;\n";
      const { status, output } = await check({ 'src/core/values/b.ts': ring, [path]: text });
      assert.equal(status, 1, output);
      assert.match(output, complaint);
      assert.equal(output.trim().split('\n').length, 2, output);
    });
  }
});

async function check(files: Record<string, string>): Promise<{ status: number | null; output: string }> {
  await using folder = await temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder.path, path)), { recursive: true });
    writeFileSync(join(folder.path, path), text);
  }
  const command = [join(import.meta.dirname, 'check-arrows.ts'), folder.path];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  return { status, output: stderr + stdout };
}
