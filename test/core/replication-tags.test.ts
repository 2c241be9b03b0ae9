import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Call } from '../../src/core/access/caller.ts';
import type { Destinations } from '../../src/core/replication/destinations.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { type CoreUnderTest, call, registry } from './core-under-test.ts';
import { pushedImage } from './manifests.ts';
import { replicating, tagThere, through, west } from './replicating.ts';

const elsewhere: Call = { ...call, registry: west };

/** Destinations that wait with the first manifest until something else has happened. */
function afterwards(destinations: Destinations, meanwhile: () => Promise<unknown>, then = () => {}): Destinations {
  let isFirst = true;
  return through(destinations, (target) => ({
    async putManifest(...manifest) {
      const wasFirst = isFirst;
      isFirst = false;
      if (wasFirst) await meanwhile();
      const put = await target.putManifest(...manifest);
      if (wasFirst) then();
      return put;
    },
  }));
}

async function digestHere({ images }: CoreUnderTest, tag: string) {
  const [image] = await images.describeMany(call, { repositoryName: 'one', imageIds: [{ imageTag: tag }] });
  return image?.digest;
}

describe('a tag that is moved while its image is copied', () => {
  it('is put where it is now', async () => {
    await using setup = await replicating();
    const { core, destinations, work } = setup;
    await pushedImage(core, 'one', 'a', 'latest');
    const moving = afterwards(destinations, async () => {
      await pushedImage(core, 'one', 'b', 'latest');
      await work();
    });
    await work(moving);
    assert.equal((await tagThere(core, 'latest'))?.digest, await digestHere(core, 'latest'));
  });

  it('is put where it is now, also when the attempt was broken off right after putting it', async () => {
    await using setup = await replicating();
    const { core, destinations, work } = setup;
    await pushedImage(core, 'one', 'a', 'latest');
    const moving = afterwards(
      destinations,
      async () => {
        await pushedImage(core, 'one', 'b', 'latest');
        await work();
      },
      () => {
        throw new Error('killed');
      },
    );
    assert.equal((await work(moving))[0]?.outcome, 'retried');
    core.pass(10);
    await work();
    assert.equal((await tagThere(core, 'latest'))?.digest, await digestHere(core, 'latest'));
  });

  it('is put where it is now by a backfill as well', async () => {
    await using setup = await replicating();
    const { core, destinations, work } = setup;
    await core.replication.putRules(call, []);
    await pushedImage(core, 'one', 'a', 'latest');
    await core.replication.putRules(call, [{ destinations: [west], prefixes: [] }]);
    await core.backfills.start(call, west);
    const moving = afterwards(destinations, async () => {
      await pushedImage(core, 'one', 'b', 'latest');
      await work();
    });
    await work(moving);
    assert.equal((await tagThere(core, 'latest'))?.digest, await digestHere(core, 'latest'));
  });

  it('goes no second hop with an image that came from a third place', async () => {
    await using setup = await replicating();
    const { core, destinations, work } = setup;
    const own = await pushedImage(core, 'one', 'a', 'latest');
    const copied = await pushedImage(core, 'one', 'b');
    await core.replication.putRules(call, []);
    await work();
    await core.replication.putRules(call, [{ destinations: [west], prefixes: [] }]);
    await core.images.put(call, { repositoryName: 'one', manifest: own.bytes, tag: 'again' });
    const moving = afterwards(destinations, async () => {
      const origin = { cause: 'replication', replicatedFrom: { ...registry, region: 'third' } } as const;
      await core.images.put(call, { repositoryName: 'one', manifest: copied.bytes, tag: 'again', ...origin });
    });
    await work(moving);
    assert.equal(await digestHere(core, 'again'), copied.digest);
    assert.equal((await tagThere(core, 'again'))?.digest, own.digest);
    const there = await core.images.describe(elsewhere, {
      repositoryName: 'one',
      tagStatus: 'ANY',
      imageStatus: 'ANY',
      after: '',
      limit: 9,
    });
    assert.deepEqual(
      there.images.map(({ digest }) => digest),
      [own.digest],
    );
  });

  it('is on the same image at both ends when each pushes one and copies to the other', async () => {
    await using setup = await replicating();
    const { core, destinations, work } = setup;
    await core.repositories.create(elsewhere, { repositoryName: 'one' });
    await core.replication.putRules(elsewhere, [{ destinations: [registry], prefixes: [] }]);
    const mine = await pushedImage(core, 'one', 'a');
    const theirs = await pushedImage(core, 'one', 'b');
    await work();
    await core.images.put(call, { repositoryName: 'one', manifest: mine.bytes, tag: 'both' });
    const crossing = afterwards(destinations, async () => {
      await core.images.put(elsewhere, { repositoryName: 'one', manifest: theirs.bytes, tag: 'both' });
      await work();
    });
    await work(crossing);
    assert.equal((await tagThere(core, 'both'))?.digest, await digestHere(core, 'both'));
  });

  it('leaves an image that has lost its tag without it', async () => {
    await using setup = await replicating();
    const { core, work } = setup;
    const first = await pushedImage(core, 'one', 'a', 'latest');
    const second = await pushedImage(core, 'one', 'b', 'latest');
    await work();
    assert.equal((await tagThere(core, 'latest'))?.digest, second.digest);
    const { read } = core.dependencies.metadata;
    const repository = await read.repositories.find(west, 'one');
    assert.ok(await read.images.find(repository?.id ?? 0, first.digest as Digest));
  });
});
