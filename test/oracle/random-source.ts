/** Numbers that look random and are the same for the same seed, so that a test that fails fails again. */
export function randomSource(seed: number) {
  let state = seed >>> 0;
  /** A whole number from 0 up to, not including, `below` (mulberry32). */
  const integer = (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
  return {
    integer,
    pick: <T>(values: readonly T[]): T => values[integer(values.length)]!,
    /** Up to `max` of what `make` makes. */
    times: <T>(max: number, make: () => T): T[] => Array.from({ length: integer(max + 1) }, make),
    /** True once in `n` times. */
    once: (n: number): boolean => integer(n) === 0,
    shuffled: <T>(values: readonly T[]): T[] => {
      const left = [...values];
      return Array.from({ length: values.length }, () => left.splice(integer(left.length), 1)[0]!);
    },
  };
}
