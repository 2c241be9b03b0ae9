import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MetadataStore } from '../core/metadata-store.ts';
import { MoveError } from '../core/moving/move-error.ts';

/** So long another process has to wait for one that was killed. */
const LEASE_MILLISECONDS = 6_000;
const RENEW_MILLISECONDS = 1_500;
const RETRY_MILLISECONDS = 500;

/**
 * Keeps other processes from the same move: two would stage the same uploads. One that was killed holds it no longer than a
 * few seconds; so long this waits.
 *
 * @param onLost called when another process has taken the move, as it may when this one stood still for too long
 */
export async function holdMove(
  ledger: MetadataStore,
  { signal, onLost }: { readonly signal: AbortSignal; readonly onLost: (error: MoveError) => void },
): Promise<AsyncDisposable> {
  const holder = randomUUID();
  const hold = () => {
    const now = new Date();
    const until = new Date(now.getTime() + LEASE_MILLISECONDS);
    return ledger.transaction('own-rows', (records) => records.moves.hold(holder, until, now));
  };
  const giveUpAt = Date.now() + LEASE_MILLISECONDS + RENEW_MILLISECONDS;
  while (!(await hold())) {
    if (Date.now() > giveUpAt) throw new MoveError('Another gantry move is at work on this registry');
    await sleep(RETRY_MILLISECONDS, undefined, { signal });
  }
  const renew = async () => {
    if (!(await hold())) onLost(new MoveError('Another gantry move has taken this one over'));
  };
  // A database that is away for a moment is asked again; what is done meanwhile fails by itself.
  const timer = setInterval(() => renew().catch(() => {}), RENEW_MILLISECONDS);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await ledger.transaction('own-rows', (records) => records.moves.release(holder)).catch(() => {});
    },
  };
}
