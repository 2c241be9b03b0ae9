import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram, runAny } from '../support/programs.ts';

/** One system call of any of a process's threads. Times are line numbers of the trace, which are in true order. */
export interface SystemCall {
  readonly name: string;
  /** The path behind the first argument's descriptor, or the first path given. */
  readonly path: string;
  readonly words: string;
  readonly begin: number;
  readonly end: number;
}

/** The system calls that have to do with durability and answers; `-y` prints what a descriptor stands for. */
export const traceWords = [
  'strace',
  '-D',
  '-f',
  '-y',
  '-s',
  '64',
  '-e',
  'trace=fdatasync,fsync,sync_file_range,rename,renameat,renameat2,unlink,unlinkat,mkdir,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg',
] as const;

/** Reads what strace wrote; calls that failed are left out. A call that another thread cut into has two lines. */
export function readTrace(text: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const unfinished = new Map<string, { words: string; begin: number }>();
  for (const [at, line] of text.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const cut = /^(.*) <unfinished \.\.\.>$/.exec(rest);
    if (cut) {
      unfinished.set(thread, { words: cut[1] ?? '', begin: at });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const began = resumed ? unfinished.get(thread) : undefined;
    if (resumed) unfinished.delete(thread);
    const call = parseCall(`${began?.words ?? ''}${resumed ? resumed[1] : rest}`);
    if (call) calls.push({ ...call, begin: began?.begin ?? at, end: at });
  }
  return calls;
}

function parseCall(text: string): Pick<SystemCall, 'name' | 'path' | 'words'> | undefined {
  const [, name, words, result] = /^(\w+)\((.*)\) += (-?\d+)/.exec(text) ?? [];
  if (name === undefined || words === undefined || Number(result) < 0) return undefined;
  const path = /^\d+<([^>]*)>/.exec(words)?.[1] ?? /^"([^"]*)"/.exec(words)?.[1] ?? '';
  return { name, path, words };
}

/** The starts of HTTP answers, in their order. */
export function answersIn(calls: readonly SystemCall[]): { status: number; call: SystemCall }[] {
  return calls.flatMap((call) => {
    const status = call.path.startsWith('socket:') ? /"HTTP\/1\.1 (\d{3}) /.exec(call.words)?.[1] : undefined;
    return status === undefined ? [] : [{ status: Number(status), call }];
  });
}

/** The tracer is nobody's child here and ends a little after the traced: its last line says so. */
export async function traceEnded(file: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 50) {
    if (/\+\+\+ exited with \d+ \+\+\+\s*$/.test(readFileSync(file, 'utf8'))) return;
    await sleep(50);
  }
  throw new Error('the tracer did not end');
}

/** Why there can be no trace here, if so. */
export async function whyNotTraced(): Promise<string | false> {
  if (findProgram('strace') === undefined) return 'strace cannot be found';
  const { code, stderr } = await runAny([...traceWords, '-o', '/dev/null', 'true']);
  return code === 0 ? false : `strace may not trace here: ${stderr.trim()}`;
}
