import { secondsAfter } from '../../src/core/dependencies.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import type { randomSource } from '../oracle/random-source.ts';
import type { Blob } from '../support/images.ts';
import { DAY_SECONDS, type LifecycleWorld } from './lifecycle-world.ts';

const TAGS = ['a1', 'a2', 'b1', 'b2', 'c1', 'c2', 'stable'];

/** Images of many ages with tags that move, indexes over some of them, and images that were pulled, archived or restored. */
export async function randomWorld(world: LifecycleWorld, random: ReturnType<typeof randomSource>): Promise<void> {
  const { metadata, now } = world.dependencies;
  const pushed: Blob[] = [];
  const count = 4 + random.integer(12);
  for (let place = 0; place < count; place++) {
    world.pass(random.integer(2 * DAY_SECONDS));
    const tags = [...new Set(random.times(3, () => random.pick(TAGS)))];
    const children = [...new Set(random.times(3, () => random.pick([...pushed, undefined])))];
    const present = children.filter((child) => child !== undefined);
    if (present.length > 0 && random.once(2)) pushed.push(await world.pushIndex(present, tags));
    else pushed.push(await world.push(String(place), { tags }));
  }
  const daysAgo = (days: number) => secondsAfter(now(), -days * DAY_SECONDS);
  await metadata.transaction('alone', async ({ images, pullTimes }) => {
    for (const { digest } of new Set(pushed)) {
      const image = await images.find(world.repositoryId, digest as Digest);
      if (image && random.once(3)) {
        const pull = { repositoryId: world.repositoryId, digest: image.digest, at: daysAgo(random.integer(9)) };
        await pullTimes.record(pull, daysAgo(-1));
      }
      if (image && random.once(4)) {
        const archivedAt = daysAgo(80 + random.integer(20));
        const restored = { status: 'ACTIVE', archivedAt, activatedAt: daysAgo(random.integer(9)) } as const;
        await images.setStatus(image.id, random.once(3) ? restored : { status: 'ARCHIVED', archivedAt });
      }
    }
  });
}
