import type { Finding } from './finding.ts';
import type { ImageInventory, LayerInventory } from './inventory.ts';

/**
 * Finds what is known to be wrong with an image, in two steps: what a layer holds never changes and is kept for its digest;
 * what is known of it changes every day, and is asked for without reading a layer.
 */
export interface Scanner {
  /**
   * Reads a layer once, from its first byte to its last, in memory that does not grow with it.
   *
   * @throws ScanError when the layer cannot be read for what it is; whatever `layer.chunks` throws
   */
  readLayer(layer: LayerBytes, signal?: AbortSignal): Promise<LayerInventory>;

  /** @throws ScanError with `no-database` when nothing is known yet */
  match(image: ImageInventory): Promise<Findings>;

  /** What the findings rest on; undefined while there is nothing. */
  data(): Promise<VulnerabilityData | undefined>;
}

export interface Findings {
  readonly findings: readonly Finding[];
  /** Why there may be more than these, in sentences without their ends. */
  readonly doubts: readonly string[];
}

export interface LayerBytes {
  readonly mediaType: string;
  /** As stored, so compressed perhaps. A chunk is not looked at any more once the next is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface VulnerabilityData {
  /** The newest record's time of change. */
  readonly updatedAt: Date;
  /** Rises with every import, so that whoever has matched before knows whether to match again. */
  readonly revision: number;
  /** Absent where the scanner does not count them. */
  readonly records?: number;
  /** Names what is known: the same wherever the same records are, another once any is new or changed. */
  readonly fingerprint: string;
}

/** Every way in which a scan comes to nothing through what it was given. */
export type ScanErrorCode =
  | 'unsupported-media-type'
  | 'corrupt-layer'
  | 'truncated-layer'
  | 'hostile-path'
  | 'layer-too-large'
  | 'too-many-entries'
  | 'suspicious-ratio'
  | 'no-database'
  | 'unsupported-database'
  | 'scanner-failed';

export class ScanError extends Error {
  readonly code: ScanErrorCode;

  /** @param reason a sentence without its end, with the values */
  constructor(code: ScanErrorCode, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'ScanError';
    this.code = code;
  }
}
