import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ECR, ReplicationDestination } from '@aws-sdk/client-ecr';
import { http } from '../support/http.ts';
import type { RunningServer } from '../support/server.ts';
import { ecrClient } from './aws-client.ts';
import { gantryOn } from './gantry-command.ts';

/** A destination that is a registry of another server. */
export const remote = { region: 'eu-west-1', registryId: '210987654321' };
export const defaultAccount = '000000000000';

const WAIT_SECONDS_MAX = 60;

/** Asks until the answer is good, which takes as long as a job waits for its next attempt. */
export async function until<T>(ask: () => Promise<T>, isGood: (value: T) => boolean): Promise<T> {
  const end = performance.now() + WAIT_SECONDS_MAX * 1000;
  let value = await ask();
  while (!isGood(value)) {
    assert.ok(performance.now() < end, `nothing came of it: ${JSON.stringify(value)}`);
    await sleep(100);
    value = await ask();
  }
  return value;
}

export function replicateTo(ecr: ECR, ...destinations: ReplicationDestination[]) {
  return ecr.putReplicationConfiguration({ replicationConfiguration: { rules: [{ destinations }] } });
}

/** The peer's registry as its own clients see it. */
export function clientOf(peer: { readonly url: string }, { registryId, region } = remote): ECR {
  return ecrClient(peer.url, { accessKeyId: registryId, region });
}

export async function addPeer(
  server: RunningServer,
  peer: { readonly url: string },
  more: readonly string[] = [],
  { registryId, region } = remote,
): Promise<void> {
  const place = ['--account', registryId, '--region', region, '--url', peer.url, '--allow-private'];
  await gantryOn(server.data)('peer', 'add', ...place, ...more);
}

/** What is said of an image once nothing is left to be done. */
export async function replicated(ecr: ECR, repositoryName: string, imageTag: string) {
  const ask = async () => {
    const { replicationStatuses = [] } = await ecr.describeImageReplicationStatus({
      repositoryName,
      imageId: { imageTag },
    });
    return replicationStatuses;
  };
  return until(ask, (statuses) => statuses.length > 0 && statuses.every(({ status }) => status !== 'IN_PROGRESS'));
}

/** Digest of an image, undefined as long as there is none. */
export async function digestAt(ecr: ECR, repositoryName: string, imageTag: string): Promise<string | undefined> {
  try {
    const { imageDetails = [] } = await ecr.describeImages({ repositoryName, imageIds: [{ imageTag }] });
    return imageDetails[0]?.imageDigest;
  } catch (error) {
    const { name } = error as Error;
    if (name === 'ImageNotFoundException' || name === 'RepositoryNotFoundException') return undefined;
    throw error;
  }
}

/** What a pull by the API gives. */
export async function pulled(ecr: ECR, repositoryName: string, digest: string): Promise<Buffer> {
  const { downloadUrl = '' } = await ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: digest });
  const answer = await http(downloadUrl);
  assert.equal(answer.status, 200, answer.text());
  return answer.body;
}
