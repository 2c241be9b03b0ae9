import type { SourceFile } from './source-file.ts';

interface Folder {
  /** Prefix of the paths it speaks of; the longest that fits decides. */
  readonly folder: string;
  /** Prefixes it may import from; its own folder is always allowed. */
  readonly ours: readonly string[];
  readonly builtins: readonly string[] | 'all';
  readonly packages: 'none' | 'all';
}

const folders: readonly Folder[] = [
  { folder: 'src/core/', ours: [], builtins: ['crypto', 'stream', 'buffer', 'util'], packages: 'none' },
  { folder: 'src/drivers/', ours: ['src/core/'], builtins: 'all', packages: 'all' },
  { folder: 'src/protocols/', ours: ['src/core/', 'src/http/'], builtins: 'all', packages: 'all' },
  { folder: 'src/jobs/', ours: ['src/core/'], builtins: 'all', packages: 'all' },
  { folder: 'src/config/', ours: [], builtins: 'all', packages: 'all' },
  { folder: 'src/http/', ours: [], builtins: 'all', packages: 'all' },
  {
    folder: 'src/commands/',
    ours: ['src/config/', 'src/compose.ts', 'src/compose/', 'src/core/'],
    builtins: 'all',
    packages: 'all',
  },
  { folder: 'src/main.ts', ours: ['src/commands/', 'src/config/'], builtins: 'all', packages: 'all' },
  { folder: 'src/index.ts', ours: ['src/compose.ts', 'src/config/', 'src/core/'], builtins: 'all', packages: 'all' },
  { folder: 'src/compose.ts', ours: ['src/'], builtins: 'all', packages: 'all' },
  { folder: 'src/compose/', ours: ['src/'], builtins: 'all', packages: 'all' },
  { folder: 'src/', ours: ['src/core/', 'src/config/'], builtins: 'all', packages: 'all' },
  {
    folder: 'test/system/',
    ours: ['test/support/', 'src/index.ts', 'src/config/settings.ts'],
    builtins: 'all',
    packages: 'all',
  },
  { folder: 'test/clients/', ours: ['test/support/'], builtins: 'all', packages: 'all' },
  { folder: 'test/', ours: ['src/', 'test/'], builtins: 'all', packages: 'all' },
  { folder: 'tools/', ours: ['src/', 'test/support/'], builtins: 'all', packages: 'all' },
  { folder: 'benchmarks/', ours: ['src/', 'test/support/', 'test/cluster/'], builtins: 'all', packages: 'all' },
  { folder: 'bin/', ours: ['src/', 'dist/'], builtins: 'all', packages: 'none' },
];

/** The unit a file belongs to: `protocols/oci` and `drivers/blobs/filesystem` know nothing of their siblings. */
const siblings = /^(src\/protocols\/[^/]+\/|src\/drivers\/(?:blobs\/[^/]+\/|[^/]+\/))/;

/** One sentence for every import that the table does not allow. A test may import whatever its subject's folder and any node: module may. */
export function arrowViolations(files: readonly SourceFile[], builtins: ReadonlySet<string>): string[] {
  return files.flatMap((file) => {
    const rule = folders.filter(({ folder }) => file.path.startsWith(folder)).sort(byLength)[0];
    if (rule === undefined) return [];
    return file.imports.flatMap(({ line, specifier, file: target }) => {
      const complaint =
        target === undefined ? outside(file.path, rule, specifier, builtins) : inside(file.path, rule, target);
      return complaint === undefined ? [] : [`${file.path}:${line}: imports ${specifier}: ${complaint}`];
    });
  });
}

function byLength(a: Folder, b: Folder): number {
  return b.folder.length - a.folder.length;
}

function inside(path: string, rule: Folder, target: string): string | undefined {
  const own = siblings.exec(path)?.[1] ?? rule.folder;
  if (target.startsWith(own) || rule.ours.some((prefix) => target.startsWith(prefix))) return undefined;
  // The contract suites in test/ are made to be run beside a driver.
  if (isTest(path) && target.startsWith('test/')) return undefined;
  const allowed = [own, ...rule.ours].join(', ');
  return `${own} may import only ${allowed}`;
}

function outside(path: string, rule: Folder, specifier: string, builtins: ReadonlySet<string>): string | undefined {
  const bare = specifier.replace(/^node:/, '');
  const isBuiltin = specifier.startsWith('node:') || builtins.has(bare);
  if (isBuiltin) {
    if (!specifier.startsWith('node:')) return `write node:${bare}`;
    if (isTest(path) || rule.builtins === 'all' || rule.builtins.includes(bare.split('/')[0] ?? '')) return undefined;
    return `${rule.folder} may import only ${rule.builtins.map((name) => `node:${name}`).join(', ')}`;
  }
  return rule.packages === 'all' ? undefined : `${rule.folder} may import no package`;
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}
