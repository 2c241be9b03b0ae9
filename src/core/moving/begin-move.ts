import { MoveError } from './move-error.ts';
import type { Move } from './move-records.ts';
import { type Moving, movesBytes } from './moving.ts';
import { requireKeys } from './require-keys.ts';
import { describePlace } from './why-not-here.ts';

/** Whether a move goes on, or has ended before. */
export interface BegunMove {
  readonly move: Move;
  readonly isOver: boolean;
}

/**
 * Begins a move, or goes on with one that was broken off: both sides are told of it, so that nobody serves from the target and
 * no other move goes there.
 *
 * @throws MoveError when the target holds anything that is not of this move, or the source is not to be moved
 */
export function beginMove(moving: Moving): Promise<BegunMove> {
  return moving.carrier === undefined ? beginWithBytes(moving) : beginWithFacts(moving);
}

async function beginWithFacts(moving: Moving): Promise<BegunMove> {
  const { source, target, carrier, now, newId } = moving;
  const [here, there] = [await source.metadata.read.moves.find(), await target.metadata.read.moves.find()];
  if (here?.stage === 'left') return goOnAfterLeaving(here, there);
  requireWhole(here);
  const isSame = here?.stage === 'leaving' && isOf(here, moving);
  if (there !== undefined && !(isSame && there.id === here.id && there.stage === 'arriving')) {
    throw new MoveError(`${target.place.facts} holds a registry already: a move needs a place that is empty`);
  }
  const move: Move = isSame ? here : { id: newId(), stage: 'leaving', from: source.place, to: target.place, at: now() };
  if (there === undefined) {
    const filled = await carrier?.firstFilled();
    if (filled !== undefined) {
      throw new MoveError(`${target.place.facts} is not empty: there are rows in its table ${filled}`);
    }
    const unkeepable = await carrier?.firstUnkeepable();
    if (unkeepable !== undefined) throw new MoveError(`${target.place.facts}: ${unkeepable}`);
    await requireRoom(moving);
    // The source first: of a move that only the target knew nobody could tell whose it is.
    await source.metadata.transaction('alone', (records) => records.moves.put(move));
    await target.metadata.transaction('alone', async (records) => {
      await records.moves.put({ ...move, stage: 'arriving' });
      await records.moves.forgetCopies();
    });
  }
  return { move, isOver: false };
}

/** A source that was left serves no more; all that can be missing is that the target is told so. */
function goOnAfterLeaving(here: Move, there: Move | undefined): BegunMove {
  if (there?.id === here.id) return { move: here, isOver: there.stage !== 'arriving' };
  throw new MoveError(`This registry has moved to ${describePlace(here.to)}; gantry move --undo takes that back`);
}

async function beginWithBytes(moving: Moving): Promise<BegunMove> {
  const { source, target, now, newId } = moving;
  const here = await source.metadata.read.moves.find();
  if (here?.stage === 'left') throw new MoveError(`This registry has moved to ${describePlace(here.to)}`);
  requireWhole(here);
  if (here !== undefined && isOf(here, moving)) {
    if (here.stage === 'bytes-leaving') return { move: here, isOver: false };
    if (here.stage === 'bytes-left') return { move: here, isOver: true };
  }
  await requireRoom(moving);
  const move: Move = { id: newId(), stage: 'bytes-leaving', from: source.place, to: target.place, at: now() };
  await source.metadata.transaction('alone', async (records) => {
    await records.moves.put(move);
    await records.moves.forgetCopies();
  });
  return { move, isOver: false };
}

function requireWhole(here: Move | undefined): void {
  if (here?.stage !== 'arriving') return;
  throw new MoveError(`This registry is itself on its way from ${describePlace(here.from)}: end that move first`);
}

function isOf({ from, to }: Move, { source, target }: Moving): boolean {
  return describePlace(from) === describePlace(source.place) && describePlace(to) === describePlace(target.place);
}

/** Of a move that is refused here, neither side knows. */
async function requireRoom(moving: Moving): Promise<void> {
  const { blobs, place } = moving.target;
  if (!movesBytes(moving)) return;
  for await (const { location } of blobs.list()) {
    throw new MoveError(
      `${place.bytes} is not empty: there are bytes at ${location}, and a move needs a place of its own`,
    );
  }
  await requireKeys(moving);
}
