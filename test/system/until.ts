import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for something that a server does after its answer. */
export async function until(isSo: () => boolean | Promise<boolean>, secondsMax = 30): Promise<void> {
  for (const end = Date.now() + secondsMax * 1000; !(await isSo()); await sleep(50)) {
    if (Date.now() > end) throw new Error(`It did not come to be within ${secondsMax} s: ${isSo}`);
  }
}
