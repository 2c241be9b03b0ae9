/**
 * `prepack` and `postpack`: the package.json that is packed has no dependencies and no scripts, for everything is in
 * dist/, and asks for the Node that runs it. The checkout's own comes back however packing ends: by `postpack`, or by a
 * guard that outlives npm when it fails or is killed before that.
 *
 * usage: package-manifest.ts publish|restore|guard NPM-PID
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const manifest = join(root, 'package.json');
const kept = join(root, '.cache', 'pack', 'package.json');
const nodeFloor = '>=26';
const guardPollMs = 200;

const [mode, npmPid] = process.argv.slice(2);
if (mode === 'publish') publish();
else if (mode === 'restore') restore();
else if (mode === 'guard') guard(Number(npmPid));
else throw new Error(`usage: package-manifest.ts publish|restore, not ${mode}`);

function publish(): void {
  // Nobody restored after an earlier pack: what stands there now is not the original.
  restore();
  const text = readFileSync(manifest, 'utf8');
  mkdirSync(dirname(kept), { recursive: true });
  replace(kept, text);
  // The scripts are `exec node …`: the parent is npm itself.
  const guardian = [import.meta.filename, 'guard', String(process.ppid)];
  spawn(process.execPath, guardian, { detached: true, stdio: 'ignore' }).unref();
  replace(manifest, `${JSON.stringify(published(JSON.parse(text)), undefined, 2)}\n`);
}

/** Only if it is the rewritten one: a manifest edited meanwhile is the user's. */
function restore(): void {
  if (!existsSync(kept)) return;
  const original = readFileSync(kept, 'utf8');
  const rewritten = `${JSON.stringify(published(JSON.parse(original)), undefined, 2)}\n`;
  const current = readFileSync(manifest, 'utf8');
  if (current !== rewritten && current !== original) {
    throw new Error(`package.json was changed while it was packed; the original is ${kept}: merge them and remove it`);
  }
  renameSync(kept, manifest);
}

function guard(npm: number): void {
  if (!existsSync(kept)) return;
  if (isAlive(npm)) setTimeout(guard, guardPollMs, npm);
  else restore();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function published(own: Record<string, unknown>): Record<string, unknown> {
  const { scripts, dependencies, devDependencies, optionalDependencies, ...rest } = own;
  return { ...rest, engines: { node: nodeFloor } };
}

/** All or nothing: a reader finds the old text or the new. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
