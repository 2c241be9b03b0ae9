import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import type { Records } from '../metadata-store.ts';

const DAY_SECONDS = 24 * 3600;

/** An event that no target takes waits no longer than this. */
const UNDELIVERED_EVENT_SECONDS = 7 * DAY_SECONDS;

/** How long jobs that were given up are listed. */
const DEAD_JOB_SECONDS = 14 * DAY_SECONDS;

/** A deleted image takes its manifest along, which may have 4 MiB. */
const IMAGES_BATCH = 20;

/**
 * Forgets changes of tags, deleted images, events, dead jobs and keys that are to go, when their time is over. Yields how
 * many, batch by batch.
 */
export async function* forgetRecords({ metadata, now, settings }: CoreDependencies, batch: number) {
  const at = now();
  const ago = (seconds: number) => secondsAfter(at, -seconds);
  const { undoSeconds, eventSeconds } = settings;
  const events = { delivered: ago(eventSeconds), any: ago(Math.max(eventSeconds, UNDELIVERED_EVENT_SECONDS)) };
  const forgetting: [(records: Records, limit: number) => Promise<number>, limit?: number][] = [
    [({ history }, limit) => history.forgetTagChanges(ago(undoSeconds), limit)],
    [({ history }, limit) => history.forgetImages(at, limit), IMAGES_BATCH],
    [({ jobs }, limit) => jobs.discardDead(ago(DEAD_JOB_SECONDS), limit)],
    [(records, limit) => records.events.deleteBefore(events, limit)],
    // What is encrypted under such a key is lost from here on: its waiting period was the time to think again.
    [({ kmsKeys }, limit) => kmsKeys.deleteDue(at, limit)],
  ];
  for (const [forget, limit = batch] of forgetting) {
    for (let forgotten = limit; forgotten === limit; ) {
      forgotten = await metadata.transaction('own-rows', (records) => forget(records, limit));
      yield forgotten;
    }
  }
}
