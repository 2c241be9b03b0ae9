import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Timers } from '../../src/jobs/timers.ts';

export interface StillTimers extends Timers {
  /** Lets time pass: calls what comes due, in order, and lets what that began settle. */
  pass(milliseconds: number): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly call: () => void;
}

/** Timers whose time stands still. Each call is told of by `onTime` before, so that a clock goes along. */
export function stillTimers(onTime: (milliseconds: number) => void = () => {}): StillTimers {
  let time = 0;
  const timers = new Set<Timer>();
  const moveTo = (at: number) => {
    onTime(at - time);
    time = at;
  };
  return {
    after(milliseconds, call) {
      const timer = { at: time + milliseconds, call };
      timers.add(timer);
      return { [Symbol.dispose]: () => void timers.delete(timer) };
    },
    async pass(milliseconds) {
      const end = time + milliseconds;
      await settle();
      for (;;) {
        const due = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
        if (!due) break;
        timers.delete(due);
        moveTo(due.at);
        due.call();
        await settle();
      }
      moveTo(end);
    },
  };
}

/** Works of a store in memory end within a few turns. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await nextTurn();
}
