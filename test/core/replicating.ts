import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { openAuthorizer } from '../../src/core/access/authorizer.ts';
import { createSecretBox } from '../../src/core/access/secret-box.ts';
import { createDestinations, type Destinations } from '../../src/core/replication/destinations.ts';
import type { ImageTarget } from '../../src/core/transfer/transfer.ts';
import { replicateImageJob, runBackfillJob } from '../../src/jobs/replication-jobs.ts';
import { type CoreUnderTest, call, coreUnderTest, registry } from './core-under-test.ts';
import { doDueJobs } from './due-jobs.ts';

export const west = { ...registry, region: 'us-west-2' };

/** A registry that is copied to another region. */
export async function replicating() {
  const core = await coreUnderTest();
  const { dependencies } = core;
  const box = createSecretBox(randomBytes(32), randomBytes);
  const unconnected = () => assert.fail('there are no peers');
  const destinations = createDestinations(dependencies, { authorizer: openAuthorizer, box, connect: unconnected });
  await core.replication.putRules(call, [{ destinations: [west], prefixes: [] }]);
  return {
    core,
    destinations,
    /** Does what is due, and what follows. */
    work: (using: Destinations = destinations) =>
      doDueJobs(core, {
        'replicate-image': replicateImageJob(dependencies, using),
        'run-backfill': runBackfillJob(dependencies, using),
      }),
    statusOf: async (imageTag: string) =>
      (await core.replication.imageStatuses(call, { repositoryName: 'one', imageId: { imageTag } })).statuses,
    /** Begins a backfill; how far it is. */
    async backfillOf() {
      const { id } = await core.backfills.start(call, west);
      return async () => (await core.backfills.results(call, { id, afterPosition: 0, limit: 1 })).backfill;
    },
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

export async function tagThere(core: CoreUnderTest, tag: string) {
  const repository = await core.dependencies.metadata.read.repositories.find(west, 'one');
  return repository && (await core.dependencies.metadata.read.images.findByTag(repository.id, tag));
}

/** The destinations, with a target that is changed on the way. */
export function through(
  destinations: Destinations,
  change: (target: ImageTarget) => Partial<ImageTarget>,
): Destinations {
  return {
    ...destinations,
    with: (place, copy) => destinations.with(place, (target) => copy({ ...target, ...change(target) })),
  };
}
