import { setTimeout as sleep } from 'node:timers/promises';
import { holdMove } from '../compose/hold-move.ts';
import { type OpenMoving, openMoving } from '../compose/moving.ts';
import { type MoveConfig, readMoveConfig } from '../config/move-config.ts';
import { beginMove } from '../core/moving/begin-move.ts';
import { type CopyReport, copyBlobs } from '../core/moving/copy-blobs.ts';
import { MoveError } from '../core/moving/move-error.ts';
import type { Move } from '../core/moving/move-records.ts';
import { ledgerOf, movesBytes } from '../core/moving/moving.ts';
import { switchOver, verifyCopies } from '../core/moving/switch-over.ts';
import { CommandError, type Invocation, isOn, optionText } from './command-spec.ts';
import { forecastMove } from './move-forecast.ts';
import { movedLines, progressText, serveLines } from './move-words.ts';
import { say } from './output.ts';
import { createProgressLine, describeBytes, type ProgressLine } from './progress-line.ts';
import { undoMoveFrom } from './undo-move.ts';

const CONCURRENCY_DEFAULT = 8;
const CONCURRENCY_MAX = 64;
const WAIT_MILLISECONDS = 500;

/** Takes a registry to another place; the same command goes on with a move that was broken off. */
export async function move(invocation: Invocation): Promise<void> {
  if (isOn(invocation, 'undo')) return toldInWords(undoMoveFrom(invocation));
  const config = readMoveConfig(invocation.flags, invocation.environment);
  if (isOn(invocation, 'dry-run')) return toldInWords(forecastMove(invocation, config));
  const stop = new AbortController();
  const interrupt = () =>
    stop.abort(new MoveError('The move was interrupted; the same command goes on where it stands'));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  using progress = createProgressLine();
  try {
    await toldInWords(run(invocation, config, { stop, progress }));
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

interface Running {
  readonly stop: AbortController;
  readonly progress: ProgressLine;
}

async function run(invocation: Invocation, config: MoveConfig, { stop, progress }: Running): Promise<void> {
  const { signal } = stop;
  await using moving = await openMoving(config, {
    concurrency: concurrencyOf(invocation),
    readsAgain: readsAgain(invocation),
    signal,
    onProgress: (so) => progress.show(progressText(so)),
  });
  const begun = await beginMove(moving);
  if (begun.isOver) {
    const lines = [`The registry has moved on ${begun.move.at.toISOString()}.`, ...serveLines(config)];
    return say(invocation, lines, { isOver: true });
  }
  await using _ = await holdMove(ledgerOf(moving), { signal, onLost: (error) => stop.abort(error) });
  if (isOn(invocation, 'switch')) await finish(invocation, config, { moving, move: begun.move, progress });
  else await copyAhead(invocation, moving, progress);
}

/** What can be done while a server runs. */
async function copyAhead(invocation: Invocation, moving: OpenMoving, progress: ProgressLine): Promise<void> {
  const copies = movesBytes(moving) ? await copyBlobs(moving) : undefined;
  const problems = copies === undefined ? [] : [...copies.problems, ...(await verifyCopies(moving))];
  progress.clear();
  const next = 'To end the move stop the server and run the same command with --switch.';
  const lines = [
    copies === undefined ? 'No bytes are to move.' : describeCopies(copies),
    ...problems,
    problems.length === 0 ? next : `${problems.length} problems: nothing can be switched before they are gone.`,
  ];
  say(invocation, lines, { copies, problems });
  if (problems.length > 0) process.exitCode = 1;
}

async function finish(
  invocation: Invocation,
  config: MoveConfig,
  { moving, move, progress }: { moving: OpenMoving; move: Move; progress: ProgressLine },
): Promise<void> {
  await untilAlone(invocation, moving);
  const startedAt = performance.now();
  const report = await switchOver(moving, move);
  const seconds = (performance.now() - startedAt) / 1000;
  progress.clear();
  if (report.problems.length > 0) {
    const verdict = 'The registry is where it was, and can be served from there.';
    say(invocation, [...report.problems, `${report.problems.length} problems. ${verdict}`], { ...report, seconds });
    process.exitCode = 1;
    return;
  }
  say(invocation, [...movedLines(report, seconds), ...serveLines(config)], { ...report, seconds });
}

/** With `--wait` what is pushed meanwhile is copied, so that little is left when the server stops. */
async function untilAlone(invocation: Invocation, moving: OpenMoving): Promise<void> {
  for (let isTold = false; ; ) {
    try {
      return await moving.requireAlone();
    } catch (error) {
      if (!(error instanceof MoveError) || !isOn(invocation, 'wait')) throw error;
    }
    if (movesBytes(moving)) await copyBlobs(moving);
    if (!isTold) console.error('Everything is copied but what still comes. Stop the server now.');
    isTold = true;
    await sleep(WAIT_MILLISECONDS, undefined, { signal: moving.signal });
  }
}

function describeCopies({ copied, copiedBytes, present }: CopyReport): string {
  return `Copied ${copied} blobs (${describeBytes(copiedBytes)}); ${present} were there already.`;
}

function concurrencyOf(invocation: Invocation): number {
  const concurrency = Number(optionText(invocation, 'concurrency') ?? CONCURRENCY_DEFAULT);
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= CONCURRENCY_MAX) return concurrency;
  throw new CommandError(`--concurrency must be a number from 1 to ${CONCURRENCY_MAX}`);
}

function readsAgain(invocation: Invocation): boolean {
  const how = optionText(invocation, 'verify') ?? 'sizes';
  if (how !== 'sizes' && how !== 'full') throw new CommandError(`--verify must be sizes or full, not '${how}'`);
  return how === 'full';
}

/** Whatever a store says is told in a sentence, for the next thing to do is the same each time. */
async function toldInWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const told = error instanceof Error && error.name === 'AbortError' ? error.cause : error;
    if (told instanceof MoveError) throw new CommandError(told.message);
    const isOfAStore = error instanceof Error && !(error instanceof TypeError) && error.name !== 'ConfigError';
    if (!isOfAStore || error instanceof CommandError) throw error;
    throw new CommandError(`The move was broken off: ${error.message}. The same command goes on where it stands`);
  }
}
