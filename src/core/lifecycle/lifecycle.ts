import type { Call } from '../access/caller.ts';
import type { TagStatus } from '../images/image-records.ts';
import type { ImageIdentifier } from '../values/image-reference.ts';
import type { LifecyclePreview, LifecyclePreviewImage, StoredLifecyclePolicy } from './lifecycle-records.ts';

/** Lifecycle policies of repositories, and previews of what they would do. Every method refuses with repository-not-found. */
export interface Lifecycle {
  /** Refuses with invalid-parameter. @returns the document as it is stored: without blanks, rules by priority */
  putPolicy(call: Call, input: { repositoryName: string; document: string }): Promise<string>;
  /** Refuses with lifecycle-policy-not-found. */
  getPolicy(call: Call, repositoryName: string): Promise<StoredLifecyclePolicy>;
  /** Refuses with lifecycle-policy-not-found. @returns what was deleted */
  deletePolicy(call: Call, repositoryName: string): Promise<StoredLifecyclePolicy>;

  /**
   * Has a document previewed, or without one the repository's policy. Refuses with invalid-parameter,
   * lifecycle-policy-not-found, lifecycle-preview-in-progress.
   *
   * @returns the document that is previewed
   */
  startPreview(call: Call, input: { repositoryName: string; document?: string }): Promise<string>;
  /** Refuses with lifecycle-preview-not-found. */
  getPreview(call: Call, input: PreviewQuestion): Promise<PreviewAnswer>;
}

export interface PreviewQuestion {
  readonly repositoryName: string;
  /** Images that are asked for by name; all without them, in pages. */
  readonly imageIds?: readonly ImageIdentifier[];
  readonly tagStatus: TagStatus;
  /** A position; 0 from the start. */
  readonly after: number;
  readonly limit: number;
}

/** `EXPIRED` some time after it was complete; images and numbers come with `COMPLETE` alone. */
export interface PreviewAnswer extends Pick<LifecyclePreview, 'document' | 'expiring' | 'transitioning'> {
  readonly status: LifecyclePreview['status'] | 'EXPIRED';
  readonly images: readonly LifecyclePreviewImage[];
  /** Where the list goes on. */
  readonly next?: number;
}
