import type { MatchedImage, SbomSubject } from '../../../core/scanning/scan-engine.ts';
import type { PackedInventory } from '../../../core/scanning/scan-records.ts';
import type { ScanErrorCode, VulnerabilityData } from '../../../core/scanning/scanner.ts';

/** What the thread that scans is told. Chunks belong to it from then on. */
export type EngineMessage =
  | { readonly kind: 'ask'; readonly request: number; readonly question: EngineQuestion }
  /** The next chunk of the layer that a request reads; without bytes it has ended. */
  | { readonly kind: 'chunk'; readonly request: number; readonly bytes?: Uint8Array }
  | { readonly kind: 'abort'; readonly request: number };

export type EngineQuestion =
  | { readonly kind: 'read-layer'; readonly mediaType: string }
  | { readonly kind: 'match'; readonly layers: readonly PackedInventory[] }
  | { readonly kind: 'describe'; readonly layers: readonly PackedInventory[]; readonly subject: SbomSubject }
  | { readonly kind: 'data' };

/** What it says. */
export type EngineAnswer =
  /** It has room for another chunk, in the memory of one that it has read. */
  | { readonly kind: 'wants'; readonly request: number; readonly memory: ArrayBuffer }
  | { readonly kind: 'done'; readonly request: number; readonly result: EngineResult }
  | { readonly kind: 'failed'; readonly request: number; readonly message: string; readonly code?: ScanErrorCode };

export type EngineResult = Uint8Array | MatchedImage | VulnerabilityData | undefined;
