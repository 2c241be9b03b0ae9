import type { Call } from '../access/caller.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { resolveImages } from '../images/find-images.ts';
import { findRepository } from '../repositories/find-repository.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { splitPage } from '../values/page.ts';
import type { Lifecycle, PreviewAnswer, PreviewQuestion } from './lifecycle.ts';
import type { LifecyclePreview, LifecyclePreviewImage } from './lifecycle-records.ts';
import { canonicalDocument, checkPolicy } from './policy-document.ts';

/** ECR user guide, "Creating a lifecycle policy preview": results can be read for a day. */
const PREVIEW_KEPT_SECONDS = 24 * 3600;

/** A preview takes seconds; one that takes so long was lost, and bars the way of the next no longer. */
const PREVIEW_RUNS_SECONDS_MAX = 3600;

export function createLifecycle(dependencies: CoreDependencies): Lifecycle {
  const { metadata, now, newId } = dependencies;
  const { read } = metadata;

  return {
    async putPolicy(call, { repositoryName, document }) {
      checkPolicy(document, dependencies);
      const stored = canonicalDocument(document);
      await metadata.transaction('repository', async (records) => {
        const repository = await findRepository(records, call.registry, repositoryName);
        await records.lifecycle.putPolicy(repository.id, stored);
      });
      return stored;
    },

    async getPolicy(call, repositoryName) {
      const repository = await findRepository(read, call.registry, repositoryName);
      return (await read.lifecycle.policy(repository.id)) ?? noPolicy(call, repositoryName);
    },

    async deletePolicy(call, repositoryName) {
      return metadata.transaction('repository', async (records) => {
        const repository = await findRepository(records, call.registry, repositoryName);
        return (await records.lifecycle.deletePolicy(repository.id)) ?? noPolicy(call, repositoryName);
      });
    },

    async startPreview(call, { repositoryName, document: given }) {
      if (given !== undefined) checkPolicy(given, dependencies);
      const [id, startedAt] = [newId(), now()];
      return metadata.transaction('repository', async (records) => {
        const repository = await findRepository(records, call.registry, repositoryName);
        const document = given ?? (await records.lifecycle.policy(repository.id))?.document;
        if (document === undefined) return noPolicy(call, repositoryName);
        const earlier = await records.lifecycle.preview(repository.id);
        if (earlier && statusOf(earlier, startedAt) === 'IN_PROGRESS') {
          refuse({ kind: 'lifecycle-preview-in-progress', repositoryName, registryId: call.registry.accountId });
        }
        await records.lifecycle.startPreview(repository.id, { id, document, startedAt });
        const payload = { repositoryId: repository.id, previewId: id };
        await records.jobs.enqueue({ kind: 'preview-lifecycle', payload }, startedAt);
        return document;
      });
    },

    async getPreview(call, question): Promise<PreviewAnswer> {
      const { repositoryName } = question;
      const repository = await findRepository(read, call.registry, repositoryName);
      const preview = await read.lifecycle.preview(repository.id);
      if (!preview) {
        return refuse({ kind: 'lifecycle-preview-not-found', repositoryName, registryId: call.registry.accountId });
      }
      const { document, expiring, transitioning } = preview;
      const status = statusOf(preview, now());
      if (status !== 'COMPLETE') return { document, status, expiring: 0, transitioning: 0, images: [] };
      return { document, status, expiring, transitioning, ...(await imagesOf(repository, question)) };
    },
  };

  async function imagesOf(
    repository: Repository,
    { imageIds, tagStatus, after, limit }: PreviewQuestion,
  ): Promise<Pick<PreviewAnswer, 'images' | 'next'>> {
    if (imageIds === undefined) {
      const found = await read.lifecycle.previewImages(repository.id, tagStatus, after, limit + 1);
      const { items, last } = splitPage(found, limit);
      return { images: items, ...(last && { next: last.position }) };
    }
    const resolved = await resolveImages(read, repository, imageIds);
    const digests = resolved.flatMap((one) => {
      if (!('code' in one)) return [one.image.digest];
      if (one.code === 'ImageNotFound' || one.code === 'ImageTagDoesNotMatchDigest') return [];
      return refuse({ kind: 'invalid-parameter', parameter: 'imageIds', constraint: one.reason });
    });
    const images = await read.lifecycle.previewImagesOf(repository.id, digests);
    return { images: images.filter((image) => hasTagStatus(image, tagStatus)) };
  }
}

function statusOf({ status, startedAt }: LifecyclePreview, now: Date): PreviewAnswer['status'] {
  if (status === 'FAILED') return status;
  if (status === 'IN_PROGRESS') return now < secondsAfter(startedAt, PREVIEW_RUNS_SECONDS_MAX) ? status : 'FAILED';
  return now < secondsAfter(startedAt, PREVIEW_KEPT_SECONDS) ? status : 'EXPIRED';
}

function hasTagStatus({ tags }: LifecyclePreviewImage, tagStatus: PreviewQuestion['tagStatus']): boolean {
  return tagStatus === 'ANY' || tags.length > 0 === (tagStatus === 'TAGGED');
}

function noPolicy(call: Call, repositoryName: string): never {
  return refuse({ kind: 'lifecycle-policy-not-found', repositoryName, registryId: call.registry.accountId });
}
