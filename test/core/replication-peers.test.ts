import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { openAuthorizer } from '../../src/core/access/authorizer.ts';
import { createSecretBox } from '../../src/core/access/secret-box.ts';
import { createDestinations } from '../../src/core/replication/destinations.ts';
import { UpstreamError, type UpstreamErrorCode, type UpstreamRegistry } from '../../src/core/upstreams/upstream.ts';
import { digestOf } from '../../src/core/values/digest.ts';
import { replicateImageJob } from '../../src/jobs/replication-jobs.ts';
import { call, coreUnderTest } from './core-under-test.ts';
import { doDueJobs } from './due-jobs.ts';
import { pushedImage } from './manifests.ts';
import { west } from './replicating.ts';

/** A registry elsewhere that has every blob and no manifest, and lets manifests be put as a test says. */
async function copyingTo(putManifest: (reference: string) => Promise<void>) {
  const core = await coreUnderTest();
  const { metadata } = core.dependencies;
  const peer = { registry: west, url: 'https://there', settings: { kind: 'ecr' }, createdAt: new Date(0) } as const;
  await metadata.transaction('alone', ({ peers }) => peers.put(peer));
  await core.replication.putRules(call, [{ destinations: [west], prefixes: [] }]);
  const made: string[] = [];
  const upstream: Partial<UpstreamRegistry> = {
    host: 'there',
    headManifest: async () => undefined,
    headBlob: async () => ({ bytes: undefined }),
    async putManifest(_, reference, { content }) {
      await putManifest(reference);
      return digestOf(content);
    },
  };
  const destinations = createDestinations(core.dependencies, {
    authorizer: openAuthorizer,
    box: createSecretBox(randomBytes(32), randomBytes),
    connect: () => ({
      upstream: upstream as UpstreamRegistry,
      createRepository: async (name) => void made.push(name),
      async [Symbol.asyncDispose]() {},
    }),
  });
  const handler = replicateImageJob(core.dependencies, destinations);
  return {
    core,
    made,
    handler,
    work: () => doDueJobs(core, { 'replicate-image': handler }),
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

const refusal = (code: UpstreamErrorCode) => new UpstreamError({ code, host: 'there', message: `there: ${code}` });

describe('copying to a peer with the ECR API', () => {
  it('makes a repository once, and again when it is gone', async () => {
    let answer: UpstreamErrorCode | undefined;
    await using setup = await copyingTo(async () => {
      if (answer) throw refusal(answer);
    });
    const { core, made, work } = setup;
    for (const tag of ['v1', 'v2', 'v3']) await pushedImage(core, 'one', tag, tag);
    await work();
    assert.deepEqual(made, ['one']);
    await pushedImage(core, 'one', 'v4', 'v4');
    answer = 'not-found';
    const [ended] = await work();
    assert.match(String(ended?.error), /RepositoryNotFound/);
    answer = undefined;
    core.pass(10);
    assert.equal((await work())[0]?.outcome, 'done');
    assert.deepEqual(made, ['one', 'one']);
  });

  it('puts one manifest at a time under its tags', async () => {
    let atOnce = 0;
    let atOnceMax = 0;
    const tags: string[] = [];
    await using setup = await copyingTo(async (reference) => {
      atOnce += 1;
      atOnceMax = Math.max(atOnceMax, atOnce);
      tags.push(reference);
      await new Promise(setImmediate);
      atOnce -= 1;
    });
    const { core, handler } = setup;
    const image = await pushedImage(core, 'one', 'a', 'v1');
    await core.images.put(call, { repositoryName: 'one', manifest: image.bytes, tag: 'v2' });
    const { read } = core.dependencies.metadata;
    const repository = await read.repositories.find(call.registry, 'one');
    const { signal } = new AbortController();
    const digest = digestOf(image.bytes);
    const copies = ['v1', 'v2'].map((tag) => {
      const wanted = { repositoryId: repository?.id ?? 0, digest, tag, destination: west };
      return handler.run(wanted, { signal, attempts: 1 });
    });
    await Promise.all(copies);
    assert.deepEqual(tags.sort(), ['v1', 'v2']);
    assert.equal(atOnceMax, 1);
  });
});
