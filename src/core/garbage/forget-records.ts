import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import type { Records } from '../metadata-store.ts';

const DAY_SECONDS = 24 * 3600;

/** An event that no target takes waits no longer than this. */
const UNDELIVERED_EVENT_SECONDS = 7 * DAY_SECONDS;

/** How long jobs that were given up are listed. */
const DEAD_JOB_SECONDS = 14 * DAY_SECONDS;

/** Forgets changes of tags, deleted images, events and dead jobs whose time is over. Yields how many, batch by batch. */
export async function* forgetRecords({ metadata, now, settings }: CoreDependencies, batch: number) {
  const at = now();
  const ago = (seconds: number) => secondsAfter(at, -seconds);
  const { undoSeconds, eventSeconds } = settings;
  const events = { delivered: ago(eventSeconds), any: ago(Math.max(eventSeconds, UNDELIVERED_EVENT_SECONDS)) };
  const forgetting: ((records: Records) => Promise<number>)[] = [
    ({ history }) => history.forgetTagChanges(ago(undoSeconds), batch),
    ({ history }) => history.forgetImages(at, batch),
    ({ jobs }) => jobs.discardDead(ago(DEAD_JOB_SECONDS), batch),
    (records) => records.events.deleteBefore(events, batch),
  ];
  for (const forget of forgetting) {
    for (let forgotten = batch; forgotten === batch; ) {
      forgotten = await metadata.transaction(forget);
      yield forgotten;
    }
  }
}
