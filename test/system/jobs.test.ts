import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsCall } from '../support/aws-call.ts';
import { http } from '../support/http.ts';
import { artifact, type Blob, empty, mediaTypes, pushBlob, pushManifest } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { assertStatus } from './oci-answers.ts';

const repositoryName = 'some/app';

async function push({ url }: RunningServer, manifest: Blob, reference = manifest.digest): Promise<Blob> {
  assertStatus(await pushManifest(url, repositoryName, reference, manifest, mediaTypes.manifest), 201);
  return manifest;
}

const manifestAt = ({ url }: RunningServer, { digest }: Blob, method = 'HEAD') =>
  http(`${url}/v2/${repositoryName}/manifests/${digest}`, { method });

async function isThere(server: RunningServer, image: Blob): Promise<boolean> {
  return (await manifestAt(server, image)).status === 200;
}

async function gone(server: RunningServer, image: Blob): Promise<void> {
  while (await isThere(server, image)) await sleep(5);
}

async function metricOf({ url }: RunningServer, name: string): Promise<number | undefined> {
  const line = (await http(`${url}/metrics`))
    .text()
    .split('\n')
    .find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length));
}

const DONE = 'gantry_jobs_done_total{kind="follow-subject",outcome="done"}';
const WAITING = 'gantry_jobs_waiting{kind="follow-subject"}';

describe('referrers of an image that is deleted', () => {
  const deletions: Record<string, (server: RunningServer, subject: Blob) => Promise<unknown>> = {
    BatchDeleteImage: ({ url }, { digest }) =>
      awsCall(url, 'BatchDeleteImage', { repositoryName, imageIds: [{ imageDigest: digest }] }),
    'DELETE /v2/…': (server, subject) => manifestAt(server, subject, 'DELETE'),
  };
  for (const [name, deletion] of Object.entries(deletions)) {
    it(`go soon after ${name}, theirs too, and their tags; the work is counted`, async () => {
      await using server = await startServer();
      await pushBlob(server.url, repositoryName, empty);
      const subject = await push(server, artifact('subject'), 'v1');
      const bom = await push(server, artifact('bom', subject), 'bom');
      const signature = await push(server, artifact('signature', bom), 'signature');
      const other = await push(server, artifact('other'), 'v2');
      await deletion(server, subject);
      for (const image of [bom, signature]) await gone(server, image);
      assert.ok(await isThere(server, other));
      const tags = (await http(`${server.url}/v2/${repositoryName}/tags/list`)).json().tags;
      assert.deepEqual(tags, ['v2']);
      while ((await metricOf(server, DONE)) !== 2) await sleep(20);
      assert.equal(await metricOf(server, WAITING), undefined);
    });
  }
});

describe('a server that ends in the middle of a job', () => {
  const ends: Record<string, (server: RunningServer) => Promise<unknown>> = {
    'by kill -9': (server) => server.kill(),
    'as it is told to': async (server) => assert.equal(await server.stop(), 0),
  };
  for (const [name, end] of Object.entries(ends)) {
    it(`${name} does it to its end after a restart`, async () => {
      await using folder = await temporaryFolder();
      for (let round = 0; ; round++) {
        const images = await endInTheMiddle(folder.path, round, end);
        await using server = await startServer({ data: folder.path });
        for (const image of images) await gone(server, image);
        while ((await metricOf(server, WAITING)) !== undefined) await sleep(20);
        // The job may have been done between the look and the end; then once more.
        if ((await metricOf(server, DONE)) === 1) return;
      }
    });
  }
});

const REFERRERS = 300;

/** Ends a server while it deletes the referrers of an image. @returns the referrers */
async function endInTheMiddle(
  data: string,
  round: number,
  end: (server: RunningServer) => Promise<unknown>,
): Promise<Blob[]> {
  await using server = await startServer({ data });
  await pushBlob(server.url, repositoryName, empty);
  const subject = await push(server, artifact(`subject ${round}`));
  const names = Array.from({ length: REFERRERS }, (_, index) => `${round}/${index}`);
  const referrers = names.map((name) => artifact(name, subject));
  for (let index = 0; index < REFERRERS; index += 20) {
    await Promise.all(referrers.slice(index, index + 20).map((referrer) => push(server, referrer)));
  }
  referrers.sort((one, other) => (one.digest < other.digest ? -1 : 1));
  await manifestAt(server, subject, 'DELETE');
  while (await isThere(server, referrers[0]!));
  await end(server);
  return referrers;
}
