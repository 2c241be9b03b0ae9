import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { ScanError } from '../../../core/scanning/scanner.ts';

export interface TrivyProgram {
  /** A path, or a name that is looked for where programs are. */
  readonly binary: string;
  /** What a server of Trivy's asks of its clients. */
  readonly token?: string | undefined;
  readonly timeoutSeconds?: number;
  readonly outputBytesMax?: number;
}

const TIMEOUT_SECONDS = 300;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const COMPLAINT_CHARACTERS_MAX = 8 * 1024;

/** Go's collector works harder as it comes near this; what is beyond the address space is refused. */
const MEMORY_SOFT = '768MiB';
const ADDRESS_SPACE_KIBIBYTES = 8 * 1024 * 1024;

const PROGRAM_FOLDERS = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The shell leads a group of processes that ends with whoever holds the other end of descriptor 3: nothing of it outlives the
 * thread or the server that wanted it, however they end.
 */
const GUARD = `(read -r _ <&3; kill -KILL 0) >/dev/null 2>&1 &
ulimit -v ${ADDRESS_SPACE_KIBIBYTES} 2>/dev/null
exec "$0" "$@" 3<&-`;

/**
 * Runs Trivy to its end, bounded in time, memory and output.
 *
 * @param folder where it is run; it holds no file that would configure Trivy
 * @returns what it printed
 * @throws ScanError with `no-database` or `scanner-failed`
 */
export async function runTrivy(program: TrivyProgram, args: readonly string[], folder: string): Promise<Buffer> {
  const { binary, token, timeoutSeconds = TIMEOUT_SECONDS, outputBytesMax = OUTPUT_BYTES_MAX } = program;
  const child = spawn('/bin/sh', ['-c', GUARD, binary, ...args], {
    cwd: folder,
    env: {
      PATH: PROGRAM_FOLDERS,
      HOME: folder,
      GOMEMLIMIT: MEMORY_SOFT,
      ...(token !== undefined && { TRIVY_TOKEN: token }),
    },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const leash = child.stdio[3] as Readable;
  // What ends the group ends the pipe as well.
  leash.on('error', () => {});
  const { promise: ended, resolve, reject } = Promise.withResolvers<{ code: number | null; signal: string | null }>();
  child.once('error', reject).once('close', (code, signal) => resolve({ code, signal }));
  child.once('exit', () => leash.destroy());
  let broken: string | undefined;
  const breakOff = (reason: string) => {
    broken ??= reason;
    leash.destroy();
  };
  const timer = setTimeout(() => breakOff(`Trivy took longer than ${timeoutSeconds} seconds`), timeoutSeconds * 1000);
  const output: Buffer[] = [];
  let bytes = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > outputBytesMax) breakOff(`Trivy's report has more than ${outputBytesMax} bytes`);
    else output.push(chunk);
  });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_CHARACTERS_MAX);
  });
  try {
    const { code, signal } = await ended;
    if (broken !== undefined) throw failed(broken);
    if (code !== 0) throw errorOf(binary, code, signal, complaint);
    return Buffer.concat(output);
  } catch (error) {
    throw error instanceof ScanError ? error : failed(`Trivy cannot be run: ${(error as Error).message}`);
  } finally {
    clearTimeout(timer);
  }
}

export function failed(reason: string, cause?: unknown): ScanError {
  return new ScanError('scanner-failed', reason, { cause });
}

/** What a shell says of a program that is not there, or may not be run (POSIX, "Exit Status for Commands"). */
const NOT_RUN = new Set([126, 127]);

function errorOf(binary: string, code: number | null, signal: string | null, complaint: string): ScanError {
  if (signal !== null) return failed(`Trivy was ended by ${signal}, perhaps for want of memory`);
  if (code !== null && NOT_RUN.has(code)) {
    return failed(`There is no program '${binary}' that can be run: \`--trivy-binary\` says where Trivy is`);
  }
  const said = lastError(complaint);
  if (/cannot skip downloading DB/.test(said))
    return new ScanError('no-database', 'Trivy has no vulnerability database');
  return failed(`Trivy ended with ${code}: ${said}`);
}

/** A client whose token its server does not take ends so. */
const SAID_NOTHING = 'it said nothing; with a server of Trivy, look at its address and GANTRY_TRIVY_SERVER_TOKEN';

/** Without colours, time and level: they are parted by tabs. */
function lastError(complaint: string): string {
  const lines = complaint
    .replace(/\u001b\[[0-9;]*m/g, '')
    .trim()
    .split('\n');
  const line = lines.findLast((one) => /\b(?:ERROR|FATAL)\b/.test(one)) ?? lines.at(-1) ?? '';
  return line.split('\t').slice(-1)[0]!.trim().slice(0, 500) || SAID_NOTHING;
}
