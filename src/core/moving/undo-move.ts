import type { MetadataStore } from '../metadata-store.ts';
import { MoveError } from './move-error.ts';
import type { Move } from './move-records.ts';

/**
 * Lets a registry be served again from where it moved away, or gives up a move that has not ended. The other side is not touched.
 *
 * @returns what was undone
 */
export async function undoMove(metadata: MetadataStore): Promise<Move> {
  const move = await metadata.read.moves.find();
  if (move?.stage === 'bytes-left') {
    throw new MoveError(`The facts of this registry point at ${move.to.bytes} by now: move its bytes back instead`);
  }
  if (move === undefined || !['leaving', 'left', 'bytes-leaving'].includes(move.stage)) {
    throw new MoveError('There is no move from here that could be undone');
  }
  await metadata.transaction('alone', async (records) => {
    await records.moves.clear();
    await records.moves.forgetCopies();
  });
  return move;
}
