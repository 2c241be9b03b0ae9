/**
 * `node benchmarks/bucket-garbage.ts [--blobs 2000 --rounds 3]`: how fast garbage collection takes layers away that lie in a
 * bucket, on a real PostgreSQL and Swift of this machine. Beside it, how fast the same number of objects goes when the store
 * is asked for nothing else: no collection on it can be faster.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openBucket } from '../src/drivers/blobs/s3/bucket.ts';
import { startCluster, whyNoCluster } from '../test/cluster/nodes-cluster.ts';
import { awsCall } from '../test/support/aws-call.ts';
import { http } from '../test/support/http.ts';
import { blobOf } from '../test/support/images.ts';

const { values } = parseArgs({
  options: { blobs: { type: 'string', default: '2000' }, rounds: { type: 'string', default: '3' } },
});
const count = Number(values.blobs);
const repositoryName = 'bench/garbage';
const AT_ONCE = 16;

const missing = whyNoCluster();
if (missing) throw new Error(missing);
await using cluster = await startCluster({
  nodes: 1,
  args: ['--layer-lease-seconds', '1', '--garbage-interval-seconds', '86400'],
});
await awsCall(cluster.url, 'CreateRepository', { repositoryName });
using bucket = await openBucket(cluster.bucket);
for (let round = 0; round < Number(values.rounds); round++) {
  await together(count, () => push(randomBytes(1000)));
  await sleep(2000);
  const start = performance.now();
  const { stdout, stderr, code } = await cluster.gantry(['garbage']);
  const collecting = count / ((performance.now() - start) / 1000);
  if (code !== 0) throw new Error(stderr);
  console.log(stdout.trim());
  console.log(
    `collected ${collecting.toFixed()} blobs/s; the store alone deletes ${(await alone()).toFixed()} objects/s`,
  );
}

async function push(bytes: Buffer): Promise<void> {
  const { digest } = blobOf(bytes);
  const { status } = await http(`${cluster.url}/v2/${repositoryName}/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    body: bytes,
    headers: { 'Content-Type': 'application/octet-stream' },
  });
  if (status !== 201) throw new Error(`a push was answered ${status}`);
}

/** @returns objects a second */
async function alone(): Promise<number> {
  const keys = Array.from({ length: count }, (_, at) => `alone/${at}`);
  const left = [...keys];
  await together(count, () => bucket.put(left.pop()!, randomBytes(1000)));
  const start = performance.now();
  await bucket.delete(keys);
  return count / ((performance.now() - start) / 1000);
}

async function together(times: number, work: () => Promise<unknown>): Promise<void> {
  let begun = 0;
  const worker = async () => {
    while (begun++ < times) await work();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
