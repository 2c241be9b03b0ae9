import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CommandError } from './command-spec.ts';

/** The lines of a trail, oldest first, of the files that were written to since then: FILE.2, FILE.1, FILE. */
export async function* auditLines(file: string, since: Date): AsyncGenerator<string> {
  const files = await filesOf(file);
  if (files.length === 0) {
    throw new CommandError(`There is no audit trail ${file}; it is kept where access is enforced or --audit says so`);
  }
  for (const path of files) {
    // A server may set files aside meanwhile.
    if ((await lastWritten(path)) < since.getTime()) continue;
    await using handle = await open(path);
    yield* handle.readLines({ autoClose: false });
  }
}

async function filesOf(file: string): Promise<string[]> {
  const folder = dirname(file);
  const name = basename(file);
  const present = await readdir(folder).catch((): string[] => []);
  const numbered = present.flatMap((other) => {
    const [, number] = other.startsWith(`${name}.`) ? (/^\.([0-9]+)$/.exec(other.slice(name.length)) ?? []) : [];
    return number === undefined ? [] : [{ path: join(folder, other), number: Number(number) }];
  });
  const setAside = numbered.toSorted((one, other) => other.number - one.number).map(({ path }) => path);
  return present.includes(name) ? [...setAside, file] : setAside;
}

async function lastWritten(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => -1,
  );
}
