import type { StoredLayer } from '../layers/layers.ts';
import type { Call } from './caller.ts';

/** Signed, expiring links to layers that need no credentials, as GetDownloadUrlForLayer gives them. */
export interface DownloadLinks {
  /**
   * Refuses with repository-not-found, layer-not-found, and layer-inaccessible (no image uses the layer yet).
   * @returns path and query, good for 3,600 s; the face puts scheme and host before it. The path begins `/layers/`
   */
  create(call: Call, input: { repositoryName: string; digest: string }): Promise<{ path: string; expiresAt: Date }>;
  /**
   * Opens what a link points at.
   * Refuses with download-link-invalid when it was tampered with or has expired, and layer-not-found when the layer is gone.
   * @param path path and query as the client sent them
   */
  open(path: string): Promise<StoredLayer>;
}
