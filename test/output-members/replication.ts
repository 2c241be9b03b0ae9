import { setTimeout as sleep } from 'node:timers/promises';
import { descriptor, mediaTypes } from '../support/images.ts';
import { pushedImage, type Scene } from './world.ts';

/** A peer at an address that is not asked: everything that is copied there fails at once. */
const FORBIDDEN = { region: 'eu-west-9', registryId: '999988887777' };
const OTHER = { region: 'eu-west-8', registryId: '000000000000' };
const ADDRESS = ['--url', 'http://127.0.0.1:9', '--kind', 'oci'];

export const replication: Scene = async (world) => {
  const { ecr, gantry } = world;
  const repositoryName = 'members/replicated';
  await gantry('peer', 'add', '--account', FORBIDDEN.registryId, '--region', FORBIDDEN.region, ...ADDRESS);
  const repositoryFilters = [{ filter: repositoryName, filterType: 'PREFIX_MATCH' as const }];
  const rules = [{ destinations: [FORBIDDEN, OTHER], repositoryFilters }];
  await ecr.putReplicationConfiguration({ replicationConfiguration: { rules } });
  await ecr.describeRegistry({});
  const child = await pushedImage(world, repositoryName, 'v1');
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [descriptor(mediaTypes.manifest, child)],
  };
  await ecr.putImage({ repositoryName, imageManifest: JSON.stringify(index), imageTag: 'index' });
  const status = () => ecr.describeImageReplicationStatus({ repositoryName, imageId: { imageTag: 'v1' } });
  await eventually(status, ({ replicationStatuses }) => replicationStatuses?.some(({ failureCode }) => failureCode));

  const { replicationBackfillId } = await ecr.startReplicationBackfill({ destination: FORBIDDEN });
  const results = () => ecr.describeReplicationBackfillResults({ replicationBackfillId });
  await eventually(results, ({ endedAt }) => endedAt);
  await ecr.describeReplicationBackfillResults({ replicationBackfillId, maxResults: 1 });
  const other = await ecr.startReplicationBackfill({ destination: FORBIDDEN });
  await ecr.stopReplicationBackfill({ replicationBackfillId: other.replicationBackfillId });
  await ecr.listReplicationBackfills({});
  await ecr.listReplicationBackfills({ maxResults: 1 });
};

async function eventually<T>(ask: () => Promise<T>, isThere: (answer: T) => unknown): Promise<void> {
  for (let tries = 0; tries < 200 && !isThere(await ask()); tries++) await sleep(50);
}
