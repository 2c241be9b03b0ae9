import type { CoreDependencies } from '../dependencies.ts';
import type { Image } from '../images/image-records.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { copyImage } from '../transfer/copy-image.ts';
import { createLocalSource } from '../transfer/local-source.ts';
import type { ImageTarget } from '../transfer/transfer.ts';
import type { Digest } from '../values/digest.ts';
import { isSameRegistry, type Registry } from '../values/registry.ts';
import type { Destinations } from './destinations.ts';
import { enqueueReplication } from './start-replication.ts';

/** An image of this server, the tag that it was found under, if any, and where it is wanted. */
export interface WantedCopy {
  readonly repository: Repository;
  readonly digest: Digest;
  readonly tag: string | undefined;
  readonly destination: Registry;
}

/** Reading for replication is nobody's pull. */
const NOBODY = { kind: 'open', accountId: '', arn: '', userId: '' } as const;

/**
 * Copies an image to a destination, with the tag if it still is on it. A tag that was moved while the image was being copied may
 * have been put on the other image at the destination before it was put on this one there, by this attempt or one that was
 * broken off: then the other image is copied once more.
 */
export async function copyTagged(
  dependencies: CoreDependencies,
  destinations: Destinations,
  copy: WantedCopy,
  options: { readonly withReferrers?: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { repository, digest, tag, destination } = copy;
  const { metadata, now } = dependencies;
  const { registry, name: repositoryName } = repository;
  const source = createLocalSource(dependencies, { caller: NOBODY, registry }, repositoryName);
  const next = await destinations.with({ source: registry, repositoryName, destination }, async (target) => {
    const owned = (await holderOf(dependencies, copy))?.digest === digest ? tag : undefined;
    await copyImage(source, target, { reference: digest, tag: owned }, options);
    const holder = await holderOf(dependencies, copy);
    if (tag === undefined || !holder || holder.digest === digest) return undefined;
    if (!(await target.has(tag, digest, options))) return undefined;
    return (await goesThere(dependencies, copy, holder, target)) ? { holder, tag } : undefined;
  });
  if (!next) return;
  await metadata.transaction('repository', async (records) => {
    const present = await records.repositories.findById(repository.id);
    const image = present && (await records.images.findByTag(present.id, next.tag));
    if (image?.id !== next.holder.id) return;
    await enqueueReplication(records, { repositoryId: repository.id, image, tag: next.tag, destination }, now());
  });
}

/** The image that has the tag now. */
async function holderOf({ metadata: { read } }: CoreDependencies, { repository, tag }: WantedCopy) {
  return tag === undefined ? undefined : read.images.findByTag(repository.id, tag);
}

/** What came here as a copy goes no further, unless it is there by itself. */
async function goesThere(
  { metadata: { read } }: CoreDependencies,
  { tag, destination }: WantedCopy,
  holder: Image,
  target: ImageTarget,
): Promise<boolean> {
  const statuses = await read.replication.statusesOf(holder.id);
  if (statuses.some((each) => each.tag === tag && isSameRegistry(each.destination, destination))) return true;
  return target.has(holder.digest, holder.digest);
}
