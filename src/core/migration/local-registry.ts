import type { Call } from '../access/caller.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { RefusedError } from '../errors.ts';
import { createImages } from '../images/image-catalog.ts';
import type { ImagePosition, TagStatus } from '../images/image-records.ts';
import { ensureRepository } from '../repositories/create-repository.ts';
import { createRepositories } from '../repositories/repositories.ts';
import { createLocalSource } from '../transfer/local-source.ts';
import { createLocalTarget } from '../transfer/local-target.ts';
import { createSharedWork } from '../transfer/shared-work.ts';
import type { ImageTarget } from '../transfer/transfer.ts';
import type { MigrationImage, MigrationSource, MigrationTarget } from './places.ts';
import type { SettingsPlace } from './settings-place.ts';

const PAGE = 100;

/** A registry of this server, beside a running one or without. Archived images are not there. */
export function createLocalRegistry(
  dependencies: CoreDependencies,
  call: Call,
  settings: SettingsPlace,
): Omit<MigrationSource & MigrationTarget, 'repository'> & {
  readonly source: MigrationSource['repository'];
  readonly target: MigrationTarget['repository'];
} {
  const repositories = createRepositories(dependencies);
  const images = createImages(dependencies);
  const sharedWork = createSharedWork();
  // Whoever imports wants the repositories; templates say how they are made.
  const making = { ...dependencies, settings: { ...dependencies.settings, createOnPush: true } };

  async function* positions(repositoryName: string, tagStatus: TagStatus): AsyncGenerator<ImagePosition> {
    let after: ImagePosition | undefined;
    do {
      const question = { repositoryName, tagStatus, imageStatus: 'ACTIVE', limit: PAGE } as const;
      const page = await images.list(call, { ...question, ...(after && { after }) });
      yield* page.images;
      after = page.next;
    } while (after);
  }

  return {
    name: `account ${call.registry.accountId} in ${call.registry.region}`,
    settings,

    async *repositories() {
      let after: string | undefined = '';
      while (after !== undefined) {
        const page: Awaited<ReturnType<typeof repositories.list>> = await repositories.list(call, {
          after,
          limit: PAGE,
        });
        for (const { name } of page.repositories) yield name;
        after = page.next;
      }
    },

    async *images(repositoryName): AsyncGenerator<MigrationImage> {
      for await (const { tag } of positions(repositoryName, 'TAGGED')) yield { reference: tag, tag };
      for await (const { digest } of positions(repositoryName, 'UNTAGGED')) yield { reference: digest };
    },

    source: (repositoryName) => createLocalSource(dependencies, call, repositoryName),
    target: (repositoryName) => withoutMissing(createLocalTarget(dependencies, call, repositoryName, { sharedWork })),
    prepare: (repositoryName) => ensureRepository(making, call.registry, repositoryName, 'CREATE_ON_PUSH'),
    async [Symbol.asyncDispose]() {},
  };
}

/** A repository that is not there has no images. */
function withoutMissing(target: ImageTarget): ImageTarget {
  return {
    ...target,
    has: (reference, digest, options) =>
      target.has(reference, digest, options).catch((error: unknown) => {
        if (error instanceof RefusedError && error.refusal.kind === 'repository-not-found') return false;
        throw error;
      }),
  };
}
