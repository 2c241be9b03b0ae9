import type { Protection } from '../encryption/protection.ts';

/** An unfinished layer upload; its bytes are staged in the blob store under the same id. */
export interface Upload {
  /** A UUID. */
  readonly id: string;
  readonly repositoryId: number;
  /** Parts acknowledged by UploadLayerPart; streamed chunks do not count. */
  readonly parts: number;
  /** Bytes acknowledged while there are parts. With no parts the staged size is the truth (see part-rules.ts). */
  readonly bytes: number;
  readonly lastPartBytes: number;
  /** Undefined until there are two parts. */
  readonly smallestEarlierPartBytes?: number;
  /** Absent when its bytes are kept as they come. */
  readonly protection?: Protection;
  readonly createdAt: Date;
  /** When bytes were last acknowledged. */
  readonly touchedAt: Date;
}

export interface UploadReads {
  find(repositoryId: number, id: string): Promise<Upload | undefined>;
  /** Whether any repository has an upload of that id. */
  exists(id: string): Promise<boolean>;
  /** Uploads neither touched nor held since, oldest first. */
  idle(before: Date, limit: number): Promise<Upload[]>;
}

export type UploadChanges = Partial<
  Pick<Upload, 'parts' | 'bytes' | 'lastPartBytes' | 'smallestEarlierPartBytes' | 'touchedAt'>
>;

/** The one server that may write to an upload for a time. */
export interface UploadHold {
  readonly holder: string;
  readonly since: Date;
  /** From then on another may take it. */
  readonly until: Date;
}

export interface UploadRecords extends UploadReads {
  insert(upload: Upload): Promise<void>;
  update(id: string, changes: UploadChanges): Promise<void>;
  /** Takes an upload that nobody holds, nobody any longer, or the holder itself. @returns undefined when it cannot be had */
  hold(repositoryId: number, id: string, hold: UploadHold): Promise<Upload | undefined>;
  /** @returns whether it was still the holder's: also past its time, unless another has taken it since */
  renew(id: string, hold: UploadHold): Promise<boolean>;
  /** Ends a hold, with the changes it was for. @returns as `renew`; false changes nothing */
  release(id: string, holder: string, changes: UploadChanges): Promise<boolean>;
  /** @returns whether there was one */
  delete(id: string): Promise<boolean>;
}
