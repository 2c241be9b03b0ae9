import { openSource } from '../compose/moving.ts';
import { registryPlaceOf } from '../compose/registry-place.ts';
import { readFolderConfig } from '../config/config.ts';
import { undoMove } from '../core/moving/undo-move.ts';
import { describePlace } from '../core/moving/why-not-here.ts';
import type { Invocation } from './command-spec.ts';
import { say } from './output.ts';

export async function undoMoveFrom(invocation: Invocation): Promise<void> {
  const from = readFolderConfig(invocation.flags, invocation.environment);
  const place = registryPlaceOf(from);
  await using source = await openSource(from, place);
  const move = await undoMove(source.metadata);
  const there = describePlace(move.to);
  const lines =
    move.stage === 'left'
      ? [
          `The registry is served from ${describePlace(place)} again, as it was when it was moved.`,
          `What was pushed to ${there} since is there alone: let no server run on it, and empty it before another move.`,
        ]
      : [`The move to ${there} is given up. What was copied there is of no use: empty it.`];
  say(invocation, lines, move);
}
