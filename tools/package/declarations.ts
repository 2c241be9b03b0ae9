import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

const importForm = /(\bfrom\s*|\bimport\s*\(\s*|^import\s*)(['"])([^'"]+)\2/gm;

/**
 * Writes dist/index.d.ts and the declarations that it needs, and no others: a consumer type-checks them without our
 * dependencies being there.
 *
 * @throws Error when what src/index.ts exports speaks of a package's types
 */
export function emitDeclarations(root: string, dist: string): void {
  const emitted = join(dist, '.declarations');
  emit(root, emitted);
  const waiting = ['index.d.ts'];
  const written = new Set<string>();
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (written.has(path)) continue;
    written.add(path);
    const { text, needs } = forConsumers(path, readFileSync(join(emitted, path), 'utf8'));
    mkdirSync(dirname(join(dist, path)), { recursive: true });
    writeFileSync(join(dist, path), text);
    waiting.push(...needs);
  }
  rmSync(emitted, { recursive: true });
}

function emit(root: string, folder: string): void {
  const options = [
    '--noEmit',
    'false',
    '--emitDeclarationOnly',
    '--declaration',
    '--outDir',
    folder,
    '--rootDir',
    'src',
  ];
  const project = join(folder, '..', '.tsconfig.json');
  const files = { extends: join(root, 'tsconfig.json'), files: [join(root, 'src', 'index.ts')], include: [] };
  writeFileSync(project, JSON.stringify(files));
  const command = [join(root, 'node_modules', '.bin', 'tsc'), ['--project', project, ...options]] as const;
  const { status, stdout, stderr } = spawnSync(...command, { cwd: root, encoding: 'utf8' });
  rmSync(project);
  if (status !== 0) throw new Error(`tsc exited with ${status}:\n${stdout}${stderr}`);
}

/** Relative imports lose their `.ts`: consumers need not allow it. */
function forConsumers(path: string, emitted: string): { text: string; needs: string[] } {
  const needs: string[] = [];
  const text = emitted.replace(importForm, (whole, before, quote, specifier: string) => {
    if (!specifier.startsWith('.')) throw new Error(`${path}: the public types speak of ${specifier}`);
    const bare = specifier.replace(/\.ts$/, '');
    needs.push(posix.join(posix.dirname(path), `${bare}.d.ts`));
    return specifier.endsWith('.ts') ? `${before}${quote}${bare}.js${quote}` : whole;
  });
  return { text, needs };
}
