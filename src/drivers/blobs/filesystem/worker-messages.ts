import type { DigestAlgorithm } from '../../../core/values/digest.ts';
import type { ChunkKey } from './encrypted/chunk-cipher.ts';
import type { StagedChunks } from './encrypted/encrypted-content.ts';

/** What the main thread says to an upload worker. A stream is one upload's running hash. */
export type WorkerMessage =
  /**
   * Begins a stream; its hash starts with the first `startBytes` bytes of the file, or is not kept when undefined. With a
   * key what is written is whole chunks, which are encrypted: `position` is that of the first one's record.
   */
  | {
      readonly kind: 'begin';
      readonly stream: number;
      readonly fd: number;
      readonly startBytes: number | undefined;
      readonly chunkKey?: ChunkKey;
    }
  | { readonly kind: 'forget'; readonly stream: number }
  | ({ readonly request: number } & WorkerQuestion);

/** Messages that are answered with a WorkerAnswer. */
export type WorkerQuestion =
  | {
      readonly kind: 'write';
      readonly stream: number;
      readonly fd: number;
      readonly position: number;
      readonly chunks: Uint8Array<ArrayBuffer>[];
    }
  /** `rest` is hashed behind what was written. */
  | { readonly kind: 'sha256'; readonly stream: number; readonly rest?: Uint8Array }
  | { readonly kind: 'hash-chunks'; readonly chunks: StagedChunks; readonly algorithm: DigestAlgorithm }
  | { readonly kind: 'hash-file'; readonly path: string; readonly algorithm: DigestAlgorithm };

export interface WorkerAnswer {
  readonly request: number;
  readonly hex?: string | undefined;
  /** An error crossing threads keeps its message but loses its code. */
  readonly failure?: { readonly message: string; readonly code: string | undefined };
}
