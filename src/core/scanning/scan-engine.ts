import type { Digest } from '../values/digest.ts';
import type { Finding } from './finding.ts';
import type { PackedInventory, SeverityCounts } from './scan-records.ts';
import type { LayerBytes, VulnerabilityData } from './scanner.ts';

/**
 * A Scanner as the registry works with it: what it reads and finds comes packed, so that it is kept as it comes, and whatever
 * it costs is spent away from whoever serves clients.
 */
export interface ScanEngine {
  /** The format of the inventories it packs; one of another format is read anew from its layer. */
  readonly inventoryFormat: number;
  /**
   * Reads a layer once; the inventory comes packed.
   *
   * @throws ScanError when the layer cannot be read for what it is; whatever `layer.chunks` throws
   */
  readLayer(layer: LayerBytes, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * What is known of an image with these layers, the lowest first.
   *
   * @throws ScanError with `no-database` when nothing is known yet
   */
  match(layers: readonly PackedInventory[]): Promise<MatchedImage>;
  /** A CycloneDX document of what an image with these layers holds, the same for the same layers. */
  describe(layers: readonly PackedInventory[], subject: SbomSubject): Promise<Uint8Array>;
  unpack(findings: Uint8Array): Promise<ScanReport>;
  data(): Promise<VulnerabilityData | undefined>;
}

export interface MatchedImage {
  /** What was matched against. */
  readonly data: VulnerabilityData;
  /** A packed ScanReport. */
  readonly findings: Uint8Array;
  readonly severityCounts: SeverityCounts;
  /** Why there may be more than these, in sentences without their ends. */
  readonly doubts: readonly string[];
  /** Whether the image has neither an operating system nor packages that are known. */
  readonly isEmpty: boolean;
}

export interface ScanReport {
  /** The operating system and its release: `DEBIAN_12`. */
  readonly platform?: string;
  /** As `inOrder` puts them. */
  readonly findings: readonly Finding[];
}

export interface SbomSubject {
  readonly digest: Digest;
  readonly repositoryName: string;
}
