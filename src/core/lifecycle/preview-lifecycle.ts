import type { CoreDependencies } from '../dependencies.ts';
import { imageWeight } from '../images/image-weight.ts';
import type { Records } from '../metadata-store.ts';
import type { Digest } from '../values/digest.ts';
import { batchesOf } from './batches.ts';
import { evaluateInTurns } from './evaluate-lifecycle.ts';
import { collectImages, nextTurn } from './lifecycle-images.ts';
import type { LifecyclePreviewImage } from './lifecycle-records.ts';
import { readPolicy } from './policy-document.ts';

/** Small enough that a push does not wait for it. */
const BATCH = 250;

interface PreviewJob {
  readonly repositoryId: number;
  readonly previewId: string;
}

/**
 * Finds out what the document of a preview would do to the images there are now, and stores it for readers. A preview that
 * has ended, or was replaced, is left alone.
 *
 * @param signal ends it early, to be done again from the start
 */
export async function previewLifecycle(
  dependencies: CoreDependencies,
  { repositoryId, previewId }: PreviewJob,
  { signal }: { signal?: AbortSignal } = {},
): Promise<void> {
  const { metadata, now } = dependencies;
  const preview = await metadata.read.lifecycle.preview(repositoryId);
  if (preview?.id !== previewId || preview.status !== 'IN_PROGRESS') return;
  const policy = readPolicy(preview.document);
  const images = await collectImages(metadata.read.lifecycle, repositoryId, policy, signal);
  const byDigest = new Map(images.map((image) => [image.digest as string, image]));
  const decisions = await evaluateInTurns(policy, images, now(), nextTurn);
  const found = decisions.map((decision, index): LifecyclePreviewImage => {
    const { digest, tags, pushedAt, storageClass } = byDigest.get(decision.digest)!;
    const { action, rulePriority } = decision;
    return { position: index + 1, digest: digest as Digest, tags, pushedAt, action, rulePriority, storageClass };
  });
  if (!(await replaceImages(dependencies, { repositoryId, previewId }, found, signal))) return;
  const expiring = found.filter(({ action }) => action === 'EXPIRE').length;
  const end = { status: 'COMPLETE', expiring, transitioning: found.length - expiring } as const;
  await metadata.transaction('own-rows', ({ lifecycle }) => lifecycle.endPreview(repositoryId, previewId, end));
}

/** Says of a preview that nothing will come of it. */
export async function failPreview(
  { metadata }: Pick<CoreDependencies, 'metadata'>,
  { repositoryId, previewId }: PreviewJob,
): Promise<void> {
  const end = { status: 'FAILED', expiring: 0, transitioning: 0 } as const;
  await metadata.transaction('own-rows', ({ lifecycle }) => lifecycle.endPreview(repositoryId, previewId, end));
}

/** Some rows at a time. @returns false when the preview has ended or another has begun meanwhile */
async function replaceImages(
  { metadata }: CoreDependencies,
  { repositoryId, previewId }: PreviewJob,
  found: readonly LifecyclePreviewImage[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  let isOurs = true;
  const write = async (work: (records: Records['lifecycle']) => Promise<void>) => {
    signal?.throwIfAborted();
    await metadata.transaction('repository', async ({ repositories, lifecycle }) => {
      const repository = await repositories.findById(repositoryId);
      const present = repository && (await lifecycle.preview(repository.id));
      isOurs = present?.id === previewId && present.status === 'IN_PROGRESS';
      if (isOurs) await work(lifecycle);
    });
  };
  let deleted = BATCH;
  while (isOurs && deleted === BATCH) {
    await write(async (lifecycle) => {
      deleted = await lifecycle.deletePreviewImages(repositoryId, BATCH);
    });
  }
  const weigh = ({ tags }: LifecyclePreviewImage) => imageWeight({ tags, manifestBytes: 0 });
  for (const batch of batchesOf(found, weigh, BATCH)) {
    if (!isOurs) break;
    await write((lifecycle) => lifecycle.insertPreviewImages(repositoryId, batch));
  }
  return isOurs;
}
