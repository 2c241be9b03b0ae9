import type { BlobStore } from '../../src/core/blob-store.ts';
import type { CoreDependencies } from '../../src/core/dependencies.ts';
import type { MetadataStore, Reads } from '../../src/core/metadata-store.ts';
import { localEncryption } from './local-encryption.ts';

/** Somebody at work on the stores who can be stopped before each of his steps. A transaction is one step. */
export interface Actor {
  /** Whether the work got to its pause; false when it ended before. */
  readonly paused: Promise<boolean>;
  /** Lets a paused actor go on to the end. */
  finish(): Promise<void>;
}

/**
 * Starts work on stores of its own view.
 * @param pauseAt which step to stop before, counted from 1
 */
export function startActor(
  dependencies: CoreDependencies,
  pauseAt: number,
  work: (dependencies: CoreDependencies) => Promise<void>,
): Actor {
  const reached = Promise.withResolvers<boolean>();
  const resumed = Promise.withResolvers<void>();
  let steps = 0;
  const step = async () => {
    if (++steps !== pauseAt) return;
    reached.resolve(true);
    await resumed.promise;
  };
  const ended = work(steppingThrough(dependencies, step)).finally(() => reached.resolve(false));
  ended.catch(() => {});
  return {
    paused: reached.promise,
    async finish() {
      resumed.resolve();
      await ended;
    },
  };
}

function steppingThrough(dependencies: CoreDependencies, step: () => Promise<void>): CoreDependencies {
  const blobs = steppingMethods(dependencies.blobs, step);
  return {
    ...dependencies,
    metadata: steppingMetadata(dependencies.metadata, step),
    blobs,
    encryption: localEncryption({ ...dependencies, blobs }),
  };
}

function steppingMetadata(metadata: MetadataStore, step: () => Promise<void>): MetadataStore {
  const entries = Object.entries(metadata.read).map(([name, reads]) => [name, steppingMethods(reads, step)]);
  return {
    isShared: metadata.isShared,
    read: Object.fromEntries(entries) as Reads,
    async transaction(about, work) {
      await step();
      return metadata.transaction(about, work);
    },
    migrate: () => metadata.migrate(),
    ready: () => metadata.ready(),
    [Symbol.asyncDispose]: () => metadata[Symbol.asyncDispose](),
  };
}

/** Methods that list are stepped through too, before each of their items. */
function steppingMethods<T extends object>(target: T, step: () => Promise<void>): T {
  const lists: readonly (keyof BlobStore)[] = ['list', 'staged'];
  return new Proxy(target, {
    get(inner, name) {
      const member = Reflect.get(inner, name);
      if (typeof member !== 'function') return member;
      if ((lists as readonly (string | symbol)[]).includes(name)) {
        return async function* () {
          await step();
          for await (const item of member.call(inner)) {
            yield item;
            await step();
          }
        };
      }
      return async (...words: unknown[]) => {
        await step();
        return member.apply(inner, words);
      };
    },
  });
}
