import type { CoreDependencies } from '../dependencies.ts';
import { refuseFailure, resolveImages } from '../images/find-images.ts';
import { findRepository } from '../repositories/find-repository.ts';
import type { DestinationStatus, Replication } from './replication.ts';
import type { ImageReplication } from './replication-records.ts';
import { checkRules, registryKey } from './replication-rules.ts';

export function createReplication({ metadata, quotas }: Pick<CoreDependencies, 'metadata' | 'quotas'>): Replication {
  const { read } = metadata;
  return {
    rules: (call) => read.replication.rules(call.registry),

    async putRules({ registry }, rules) {
      checkRules(registry, rules, quotas.limits);
      await metadata.transaction('registry', ({ replication }) => replication.putRules(registry, rules));
    },

    async imageStatuses(call, { repositoryName, imageId }) {
      const repository = await findRepository(read, call.registry, repositoryName);
      const [resolved] = await resolveImages(read, repository, [imageId]);
      if (!resolved) throw new Error('An image id was not resolved');
      if ('code' in resolved) return refuseFailure(call, repositoryName, resolved, 'imageId');
      const { image } = resolved;
      const all = await read.replication.statusesOf(image.id);
      return { digest: image.digest, statuses: byDestination(all, imageId.imageTag) };
    },
  };
}

/** Of a tag where it was replicated with the tag, else of the image. What is still to be done counts most, then what failed. */
function byDestination(all: readonly ImageReplication[], tag: string | undefined): DestinationStatus[] {
  const groups = Map.groupBy(all, ({ destination }) => registryKey(destination));
  return [...groups.values()].map((group) => {
    const ofTag = group.filter((each) => each.tag === tag);
    const asked = ofTag.length > 0 ? ofTag : group;
    const found =
      asked.find(({ status }) => status === 'IN_PROGRESS') ??
      asked.find(({ status }) => status === 'FAILED') ??
      asked[0]!;
    const { destination, status, failureCode } = found;
    return { destination, status, ...(failureCode !== undefined && { failureCode }) };
  });
}
