import type { Call } from '../access/caller.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { refuseBusy, refuseUpload } from './find-upload.ts';
import type { UploadHold } from './upload-records.ts';
import type { UploadWriter } from './upload-writer.ts';
import type { UploadReference } from './uploads.ts';

export interface WantedHold {
  /** This server, as no other is called. */
  readonly holder: string;
  readonly call: Call;
  readonly repositoryId: number;
  readonly reference: UploadReference;
}

/**
 * The writer's place among several servers: a hold in the upload's record, renewed while the writer is at work, which ends by
 * itself when its server has died. A writer stops trusting its own a quarter of that time before others may take it: for
 * clocks that differ, and for what is on its way to the store. Refuses with upload-not-found and upload-busy.
 */
export async function holdForServer(
  { metadata, now, settings: { uploadHoldSeconds } }: CoreDependencies,
  { holder, call, repositoryId, reference }: WantedHold,
): Promise<UploadWriter> {
  const { uploadId } = reference;
  const beginning = (since: Date): UploadHold => ({ holder, since, until: secondsAfter(since, uploadHoldSeconds) });
  const refuseHeld = async (): Promise<never> =>
    (await metadata.read.uploads.find(repositoryId, uploadId))
      ? refuseBusy(call, reference)
      : refuseUpload(call, reference);

  let hold = beginning(now());
  const upload = await metadata.transaction('own-rows', ({ uploads }) => uploads.hold(repositoryId, uploadId, hold));
  if (!upload) return refuseHeld();

  const losing = new AbortController();
  let isOver = false;
  let timer = setTimeout(() => void renew(), (uploadHoldSeconds * 1000) / 4);
  const lose = () => {
    if (!isOver) losing.abort();
  };
  const stop = () => {
    isOver = true;
    clearTimeout(timer);
  };
  const isTrusted = () => now() < secondsAfter(hold.until, -uploadHoldSeconds / 4);
  /** A database that is away for a moment is asked again; the hold's time is over sooner or later. */
  const renew = async () => {
    const renewed = beginning(now());
    const isHeld = await metadata
      .transaction('own-rows', ({ uploads }) => uploads.renew(uploadId, renewed))
      .catch(() => undefined);
    if (isOver) return;
    if (isHeld === true) hold = renewed;
    if (isHeld === false || !isTrusted()) return lose();
    timer = setTimeout(() => void renew(), (uploadHoldSeconds * 1000) / 4);
  };

  return {
    upload,
    lost: losing.signal,
    requireHeld() {
      if (!isTrusted()) lose();
      if (losing.signal.aborted) refuseBusy(call, reference);
    },
    async acknowledge(changes) {
      const release = () =>
        metadata.transaction('own-rows', ({ uploads }) => uploads.release(uploadId, holder, changes));
      const wasHeld = await release();
      stop();
      if (!wasHeld) await refuseHeld();
    },
    ended: stop,
    async [Symbol.asyncDispose]() {
      if (isOver) return;
      stop();
      // Whatever is in the way: it ends by itself.
      await metadata.transaction('own-rows', ({ uploads }) => uploads.release(uploadId, holder, {})).catch(() => {});
    },
  };
}
