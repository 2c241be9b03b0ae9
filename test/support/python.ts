import { findProgram, runAny } from './programs.ts';

/** The host's first python3 may be one without boto3 while Debian's has it. */
export async function pythonWithBoto3(): Promise<string | undefined> {
  for (const path of [findProgram('python3'), '/usr/bin/python3']) {
    if (path === undefined) continue;
    const { code } = await runAny([path, '-c', 'import boto3']).catch(() => ({ code: 1 }));
    if (code === 0) return path;
  }
  return undefined;
}
