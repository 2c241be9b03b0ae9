import type { DigestAlgorithm } from '../../../core/values/digest.ts';

/** What the main thread says to an upload worker. A stream is one upload's running hash. */
export type WorkerMessage =
  /** Begins a stream; its hash starts with the first `startBytes` bytes of the file, or is not kept when undefined. */
  | { readonly kind: 'begin'; readonly stream: number; readonly fd: number; readonly startBytes: number | undefined }
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
  | { readonly kind: 'sha256'; readonly stream: number }
  | { readonly kind: 'hash-file'; readonly path: string; readonly algorithm: DigestAlgorithm };

export interface WorkerAnswer {
  readonly request: number;
  readonly hex?: string | undefined;
  /** An error crossing threads keeps its message but loses its code. */
  readonly failure?: { readonly message: string; readonly code: string | undefined };
}
