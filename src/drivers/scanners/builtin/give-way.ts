import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often it is looked at how busy the thread is that serves clients. */
const LOOK_MS = 50;
/** Alone a scan keeps it busy for less of the time, a push that goes as fast as it can for more. */
const BUSY = 0.6;
/** With a chunk after each pause a layer still comes to its end. */
const PAUSE_MS = 20;

/** Has work in the background wait, a little each time it asks, while the thread that serves clients has much to do. */
export class GiveWay {
  #looked = performance.eventLoopUtilization();
  #lookedAt = performance.now();
  #isBusy = false;

  /** Before each piece of the work. */
  async pause(): Promise<void> {
    if (performance.now() - this.#lookedAt >= LOOK_MS) this.#look();
    if (this.#isBusy) await sleep(PAUSE_MS);
  }

  #look(): void {
    const looked = performance.eventLoopUtilization();
    this.#isBusy = performance.eventLoopUtilization(looked, this.#looked).utilization > BUSY;
    this.#looked = looked;
    this.#lookedAt = performance.now();
  }
}
