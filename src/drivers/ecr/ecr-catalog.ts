import type { MigrationImage } from '../../core/migration/places.ts';
import type { EcrCatalog } from '../../core/migration/upstream-places.ts';
import type { EcrClient } from './ecr-client.ts';
import { createEcrSettings } from './ecr-settings.ts';

const PAGE = 1000;

/** What a registry with the ECR API has. Archived images are left out: they cannot be pulled. */
export function createEcrCatalog(client: EcrClient): EcrCatalog {
  const { registryId } = client;
  return {
    settings: createEcrSettings(client),

    async *repositories() {
      let nextToken: string | undefined;
      do {
        const page = await client.ask('DescribeRepositories', (ecr) =>
          ecr.describeRepositories({ ...registryId, maxResults: PAGE, nextToken }),
        );
        for (const { repositoryName } of page.repositories ?? []) if (repositoryName) yield repositoryName;
        nextToken = page.nextToken;
      } while (nextToken);
    },

    async *images(repositoryName) {
      yield* listImages(client, repositoryName, 'TAGGED');
      yield* listImages(client, repositoryName, 'UNTAGGED');
    },

    /** Looks first: who may push need not be allowed to make repositories. */
    async ensureRepository(repositoryName) {
      const found = await client.ask(
        `DescribeRepositories ${repositoryName}`,
        (ecr) => ecr.describeRepositories({ ...registryId, repositoryNames: [repositoryName] }),
        ['RepositoryNotFoundException'],
      );
      if (found) return;
      await client.ask(
        `CreateRepository ${repositoryName}`,
        (ecr) => ecr.createRepository({ ...registryId, repositoryName }),
        ['RepositoryAlreadyExistsException'],
      );
    },

    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

async function* listImages(
  client: EcrClient,
  repositoryName: string,
  tagStatus: 'TAGGED' | 'UNTAGGED',
): AsyncGenerator<MigrationImage> {
  let nextToken: string | undefined;
  do {
    const page = await client.ask(`ListImages of ${repositoryName}`, (ecr) =>
      ecr.listImages({ ...client.registryId, repositoryName, maxResults: PAGE, nextToken, filter: { tagStatus } }),
    );
    for (const { imageTag, imageDigest } of page.imageIds ?? []) {
      if (imageTag !== undefined) yield { reference: imageTag, tag: imageTag };
      else if (imageDigest !== undefined) yield { reference: imageDigest };
    }
    nextToken = page.nextToken;
  } while (nextToken);
}
