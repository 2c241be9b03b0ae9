import type { Upload, UploadChanges } from './upload-records.ts';

/** The place of an upload's one writer. Whoever has it disposes of it, once, whatever happens. */
export interface UploadWriter extends AsyncDisposable {
  /** As it is now that nobody else writes to it. */
  readonly upload: Upload;
  /** Aborted when another server may have the place: nothing more may be written then. Absent where a server is alone. */
  readonly lost?: AbortSignal;
  /** Refuses with upload-busy once the place is lost. */
  requireHeld(): void;
  /**
   * What was written counts from now on: notes the changes, durably, and gives the place up. Refuses with upload-not-found,
   * and with upload-busy when the place was lost.
   */
  acknowledge(changes: UploadChanges): Promise<void>;
  /** There is nothing to give up any more: the upload's record is gone. */
  ended(): void;
}
