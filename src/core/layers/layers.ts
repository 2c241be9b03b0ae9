import type { Call } from '../access/caller.ts';
import type { BlobReader, ByteRange } from '../blob-store.ts';

/** Layers and configs that a repository has. Every method refuses with repository-not-found. */
export interface Layers {
  /**
   * BatchCheckLayerAvailability. A well-formed digest that is not there is UNAVAILABLE, not a failure. Layers told to be
   * there have their lease renewed.
   */
  checkAvailability(
    call: Call,
    input: { repositoryName: string; digests: readonly string[] },
  ): Promise<{ layers: LayerAvailability[]; failures: LayerFailure[] }>;
  /** Finds a layer for reading or for telling a client that it is there. Refuses with layer-not-found. */
  open(call: Call, input: { repositoryName: string; digest: string }): Promise<StoredLayer>;
  /** Takes a layer out of the repository. Refuses with layer-not-found, and layer-in-use while an image uses it. */
  delete(call: Call, input: { repositoryName: string; digest: string }): Promise<void>;
}

export interface LayerAvailability {
  readonly digest: string;
  readonly availability: 'AVAILABLE' | 'UNAVAILABLE';
  /** With AVAILABLE only. */
  readonly bytes?: number;
  /** As the image that uses the layer names it; absent while none does. */
  readonly mediaType?: string;
}

export interface LayerFailure {
  readonly digest: string;
  /** ECR's LayerFailureCode. */
  readonly code: 'InvalidLayerDigest' | 'MissingLayerDigest';
  readonly reason: string;
}

export interface StoredLayer {
  readonly digest: string;
  readonly bytes: number;
  readonly mediaType?: string;
  /** Whole, or a range that lies within `bytes`. The caller disposes of the reader. */
  read(range?: ByteRange): Promise<BlobReader>;
}
