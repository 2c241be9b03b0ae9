import type { Move, RegistryPlace } from './move-records.ts';

/** Why a registry must not be served from a store of facts, in a sentence; undefined when it may. */
export function whyNotHere(move: Move | undefined): string | undefined {
  if (move?.stage === 'left') {
    return `This registry has moved to ${describePlace(move.to)}: start it there (gantry move --undo takes that back)`;
  }
  if (move?.stage === 'arriving') {
    return `This registry is on its way here from ${describePlace(move.from)}: end the move there with gantry move --switch`;
  }
  return undefined;
}

/** Why the bytes of a registry must not be looked for in a place; undefined when they may. */
export function whyNotItsBytes(move: Move | undefined, bytes: RegistryPlace['bytes']): string | undefined {
  if (move?.stage !== 'bytes-left' || move.from.bytes !== bytes) return undefined;
  return `The bytes of this registry have moved to ${move.to.bytes}: start it with them`;
}

export function describePlace({ facts, bytes }: RegistryPlace): string {
  return facts === bytes ? facts : `${facts} with its bytes in ${bytes}`;
}
