import { setTimeout as sleep } from 'node:timers/promises';
import { ListMultipartUploadsCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { DEFAULT_CORE_SETTINGS } from '../../../src/core/dependencies.ts';
import type { Cluster } from '../../cluster/nodes-cluster.ts';
import { withClient } from '../../cluster/s3-bucket.ts';
import type { WorldControl } from '../../crash/world.ts';

export interface Ending {
  readonly repositories: readonly string[];
  /** How many images the policy of these leaves. */
  readonly versions: number;
  say(text: string): void;
}

/** What must hold when nobody is at work any more: policies, bytes, and nothing that no record names. */
export async function endWell(cluster: Cluster, world: WorldControl, ending: Ending): Promise<void> {
  for (const repository of ending.repositories) await settle(world, repository, ending.versions);
  await verify(cluster, world, ending);
  for (const node of cluster.nodes) {
    const code = await node.stop();
    if (code !== 0) world.fail(`SIGTERM ended ${node.name} with ${code}`);
  }
  // An upload that a dead node held is nobody's once its hold ends, and idle from then on.
  await sleep(DEFAULT_CORE_SETTINGS.uploadHoldSeconds * 1000 + 1000);
  const now = [
    '--layer-lease-seconds',
    '0',
    '--undo-seconds',
    '0',
    '--upload-idle-seconds',
    '0',
    '--orphan-seconds',
    '0',
  ];
  const { code, stdout, stderr } = await cluster.gantry(['garbage', ...now]);
  ending.say(`  ${stdout.trim()}`);
  if (code !== 0) world.fail(`gantry garbage ended with ${code}: ${stderr}`);
  const blobs = await verify(cluster, world, ending);
  await compareBucket(cluster, world, blobs);
}

async function settle(world: WorldControl, repository: string, versions: number): Promise<void> {
  let left: string[] = [];
  for (let second = 0; second < 30; second++) {
    const { tags } = (await world.ask(`/v2/${repository}/tags/list?n=1000&last=keep-~`)).json();
    left = tags;
    if (left.length <= versions) return world.count('repositories that hold what their policy says');
    await sleep(1000);
  }
  world.fail(`long after the last push ${repository} has ${left.length} images of which its policy leaves ${versions}`);
}

/** @returns how many blobs there are */
async function verify(cluster: Cluster, world: WorldControl, { say }: Ending): Promise<number> {
  const { code, stdout, stderr } = await cluster.gantry(['verify', '--orphan-seconds', '0']);
  say(`  ${stdout.trim()}`);
  if (code !== 0) world.fail(`gantry verify ended with ${code}:\n${stdout}${stderr}`);
  world.count('verifications');
  return Number(/^Verified (\d+) blobs/m.exec(stdout)?.[1]);
}

/** Each blob is one object of sealed/, and those of data/ are of one each; nothing is staged. */
async function compareBucket({ bucket }: Cluster, world: WorldControl, blobs: number): Promise<void> {
  const counts = { sealed: 0, data: 0, uploads: 0, ready: 0 };
  const multiparts = await withClient(bucket, async (client) => {
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket.bucket })) {
      for (const { Key = '' } of Contents) {
        const folder = Key.slice(bucket.prefix.length + 1).split('/')[0] as keyof typeof counts;
        counts[folder]++;
      }
    }
    return (await client.send(new ListMultipartUploadsCommand({ Bucket: bucket.bucket }))).Uploads?.length ?? 0;
  });
  const isClean = counts.sealed === blobs && counts.data <= blobs && counts.uploads === 0 && multiparts === 0;
  if (!isClean) world.fail(`the bucket of ${blobs} blobs has ${JSON.stringify({ ...counts, multiparts })}`);
  else world.count('objects that a record names', counts.sealed + counts.data);
}
