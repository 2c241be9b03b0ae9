import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { GiveWay } from './give-way.ts';

it('has work wait while the thread has much to do, and lets it go on when that is over', async () => {
  // Nothing is counted before the event loop has begun.
  await sleep(10);
  const giveWay = new GiveWay();
  const asked = async () => {
    let goesOn = false;
    const paused = giveWay.pause().then(() => {
      goesOn = true;
    });
    await setImmediate();
    const atOnce = goesOn;
    await paused;
    return atOnce;
  };
  spin(200);
  assert.equal(await asked(), false);
  await sleep(500);
  assert.equal(await asked(), true);
});

function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}
