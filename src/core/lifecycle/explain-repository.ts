import type { CoreDependencies } from '../dependencies.ts';
import { explainLifecycle, type LifecycleExplanation } from './evaluate-lifecycle.ts';
import { type CollectedImage, collectImages } from './lifecycle-images.ts';
import { readPolicy } from './policy-document.ts';

/** What a policy does with an image of a repository, and why. */
export interface ExplainedImage extends LifecycleExplanation {
  readonly image: CollectedImage;
}

/**
 * Says of every image of a repository, the newest first, what its policy would do with it now. Changes nothing.
 * @returns undefined when the repository has no policy
 */
export async function explainRepository(
  { metadata, now }: Pick<CoreDependencies, 'metadata' | 'now'>,
  repositoryId: number,
): Promise<ExplainedImage[] | undefined> {
  const stored = await metadata.read.lifecycle.policy(repositoryId);
  if (!stored) return undefined;
  const policy = readPolicy(stored.document);
  const images = await collectImages(metadata.read.lifecycle, repositoryId, policy);
  images.sort(
    (one, other) => other.pushedAt.getTime() - one.pushedAt.getTime() || (one.digest < other.digest ? -1 : 1),
  );
  return explainLifecycle(policy, images, now()).map((explanation, index) => ({
    ...explanation,
    image: images[index]!,
  }));
}
