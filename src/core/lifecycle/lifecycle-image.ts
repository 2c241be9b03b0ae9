import type { LifecycleStorageClass } from './lifecycle-policy.ts';

/** What a lifecycle policy looks at. */
export interface LifecycleImage {
  readonly digest: string;
  readonly tags: readonly string[];
  /** An image on its way out of the archive counts as STANDARD. */
  readonly storageClass: LifecycleStorageClass;
  readonly pushedAt: Date;
  /** When it was last restored from the archive. */
  readonly activatedAt?: Date;
  readonly archivedAt?: Date;
  readonly pulledAt?: Date;
  /** Digests of the indexes of its repository that list it; looked at with the imageUnit `index` alone. */
  readonly parents?: readonly string[];
}

/** When it was pushed, in milliseconds; a restored image was pushed when it was restored (ECR user guide, "Archiving an image"). */
export function pushTime({ pushedAt, activatedAt }: LifecycleImage): number {
  return (activatedAt ?? pushedAt).getTime();
}

/** When it was last pulled, in milliseconds; one never pulled since its push or restoration was of use then. */
export function pullTime(image: LifecycleImage): number {
  return isPulledSince(image) ? image.pulledAt!.getTime() : pushTime(image);
}

/** Whether it was pulled, and if it was ever restored, since then. */
export function isPulledSince({ activatedAt, pulledAt }: LifecycleImage): boolean {
  return pulledAt !== undefined && (activatedAt === undefined || pulledAt > activatedAt);
}

/** When it was last archived, in milliseconds; undefined for one that never was. */
export function archiveTime({ archivedAt }: LifecycleImage): number | undefined {
  return archivedAt?.getTime();
}
