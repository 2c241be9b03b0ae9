import type { Call } from '../access/caller.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import type { Digest } from '../values/digest.ts';
import type { Registry } from '../values/registry.ts';
import type { Pull } from './pull-time-records.ts';

/** When images were last pulled: noted in memory, recorded later in few transactions, so that a pull writes nothing. */
export interface PullTimes {
  /** Takes note of a pull of an image. Asks nothing of the store. */
  note(call: Call, repositoryId: number, digest: Digest): void;
  /**
   * Records what was noted before the call. When it rejects, what was noted is kept for the next time; pulls by excluded
   * principals are forgotten.
   */
  flush(): Promise<void>;
}

/** As many images and pullers are noted before a flush begins early … */
const NOTED_MAX = 10_000;
/** … and none beyond these while the store cannot be written: memory is bounded. */
const KEPT_MAX = 2 * NOTED_MAX;
const TRANSACTION_PULLS_MAX = 500;
/** Pulls follow one another; one that comes so soon after the recorded one says nothing new (ECR refreshes daily). */
const REFRESH_SECONDS = 60;
/** More than any registry has: their number has a quota. */
const EXCLUSIONS_MAX = 100_000;

/** @param onError told when an early flush fails, since nobody waits for it */
export function createPullTimes(
  { metadata, now }: Pick<CoreDependencies, 'metadata' | 'now'>,
  onError: (error: unknown) => void,
): PullTimes {
  let noted = new Map<string, NotedPull>();
  let lastFlush: Promise<void> = Promise.resolve();

  async function record(): Promise<void> {
    const taken = noted;
    noted = new Map();
    try {
      const pulls = latest(await withoutExcluded(taken.values()));
      for (let from = 0; from < pulls.length; from += TRANSACTION_PULLS_MAX) {
        const some = pulls.slice(from, from + TRANSACTION_PULLS_MAX);
        await metadata.transaction('own-rows', async ({ pullTimes }) => {
          for (const pull of some) await pullTimes.record(pull, secondsAfter(pull.at, -REFRESH_SECONDS));
        });
      }
    } catch (error) {
      // All of it: what was recorded already is not recorded anew.
      for (const [key, pull] of taken) if (noted.size < KEPT_MAX && !noted.has(key)) noted.set(key, pull);
      throw error;
    }
  }

  async function withoutExcluded(pulls: Iterable<NotedPull>): Promise<NotedPull[]> {
    const byRegistry = Map.groupBy(pulls, ({ registry }) => `${registry.accountId}/${registry.region}`);
    const counting: NotedPull[] = [];
    for (const inRegistry of byRegistry.values()) {
      const [{ registry }] = inRegistry as [NotedPull];
      const exclusions = await metadata.read.pullTimes.exclusions(registry, '', EXCLUSIONS_MAX);
      const excluded = new Set(exclusions.map(({ principalArn }) => principalArn));
      counting.push(...inRegistry.filter(({ principalArn }) => !excluded.has(principalArn)));
    }
    return counting;
  }

  const pullTimes: PullTimes = {
    note({ caller, registry }, repositoryId, digest) {
      // Of a session the role counts, whoever took it.
      const principalArn = caller.roleArn ?? caller.arn;
      const key = `${repositoryId} ${digest} ${principalArn}`;
      if (noted.size >= KEPT_MAX && !noted.has(key)) return;
      noted.set(key, { registry, principalArn, repositoryId, digest, at: now() });
      if (noted.size === NOTED_MAX) pullTimes.flush().catch(onError);
    },
    flush() {
      lastFlush = lastFlush.catch(() => {}).then(record);
      return lastFlush;
    },
  };
  return pullTimes;
}

interface NotedPull extends Pull {
  readonly registry: Registry;
  readonly principalArn: string;
}

/** The last pull of each image, whoever pulled it. */
function latest(pulls: readonly NotedPull[]): Pull[] {
  const byImage = new Map<string, Pull>();
  for (const pull of pulls) {
    const key = `${pull.repositoryId} ${pull.digest}`;
    const present = byImage.get(key);
    if (!present || present.at < pull.at) byImage.set(key, pull);
  }
  return [...byImage.values()];
}
