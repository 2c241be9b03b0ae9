import type { Repository } from '@aws-sdk/client-ecr';
import type { SettingsPlace } from '../../core/migration/settings-place.ts';
import type { EcrClient } from './ecr-client.ts';
import { createEcrRegistrySettings } from './ecr-registry-settings.ts';
import { encryptionOf, exclusionFiltersOf, resourceTagsOf, tagsOf } from './ecr-shapes.ts';

const NO_REPOSITORY = 'RepositoryNotFoundException';

/** Settings through the ECR API, as far as the registry serves it and the caller may ask. */
export function createEcrSettings(client: EcrClient): SettingsPlace {
  const of = (repositoryName: string) => ({ ...client.registryId, repositoryName });
  const find = async (name: string): Promise<Repository | undefined> => {
    const question = { ...client.registryId, repositoryNames: [name] };
    const asked = `DescribeRepositories ${name}`;
    return (await client.ask(asked, (ecr) => ecr.describeRepositories(question), [NO_REPOSITORY]))?.repositories?.[0];
  };
  return {
    ...createEcrRegistrySettings(client),

    async repository(name) {
      const found = await find(name);
      if (!found) return undefined;
      const { repositoryArn: resourceArn } = found;
      const { tags = [] } = await client.ask(`ListTagsForResource ${name}`, (ecr) =>
        ecr.listTagsForResource({ resourceArn }),
      );
      return {
        imageTagMutability: found.imageTagMutability ?? 'MUTABLE',
        exclusionFilters: exclusionFiltersOf(found.imageTagMutabilityExclusionFilters),
        scanOnPush: found.imageScanningConfiguration?.scanOnPush ?? false,
        encryption: encryptionOf(found.encryptionConfiguration),
        // ECR's own tags are given by nobody else.
        resourceTags: resourceTagsOf(tags).filter(({ key }) => !key.startsWith('aws:')),
      };
    },

    async createRepository(name, { imageTagMutability, exclusionFilters, scanOnPush, encryption, resourceTags }) {
      await client.ask(`CreateRepository ${name}`, (ecr) =>
        ecr.createRepository({
          ...of(name),
          imageTagMutability,
          ...(exclusionFilters.length > 0 && { imageTagMutabilityExclusionFilters: [...exclusionFilters] }),
          imageScanningConfiguration: { scanOnPush },
          encryptionConfiguration: encryption,
          tags: tagsOf(resourceTags),
        }),
      );
    },

    async putTagMutability(name, { imageTagMutability, exclusionFilters }) {
      const filters = exclusionFilters.length > 0 && { imageTagMutabilityExclusionFilters: [...exclusionFilters] };
      await client.ask(`PutImageTagMutability ${name}`, (ecr) =>
        ecr.putImageTagMutability({ ...of(name), imageTagMutability, ...filters }),
      );
    },

    async putScanOnPush(name, scanOnPush) {
      const imageScanningConfiguration = { scanOnPush };
      await client.ask(`PutImageScanningConfiguration ${name}`, (ecr) =>
        ecr.putImageScanningConfiguration({ ...of(name), imageScanningConfiguration }),
      );
    },

    async addResourceTags(name, resourceTags) {
      const { repositoryArn: resourceArn } = (await find(name)) ?? {};
      await client.ask(`TagResource ${name}`, (ecr) => ecr.tagResource({ resourceArn, tags: tagsOf(resourceTags) }));
    },

    async repositoryPolicy(name) {
      const lacks = ['RepositoryPolicyNotFoundException', NO_REPOSITORY];
      const asked = `GetRepositoryPolicy ${name}`;
      return (await client.ask(asked, (ecr) => ecr.getRepositoryPolicy(of(name)), lacks))?.policyText;
    },

    async putRepositoryPolicy(name, policyText) {
      await client.ask(`SetRepositoryPolicy ${name}`, (ecr) => ecr.setRepositoryPolicy({ ...of(name), policyText }));
    },

    async lifecyclePolicy(name) {
      const lacks = ['LifecyclePolicyNotFoundException', NO_REPOSITORY];
      const asked = `GetLifecyclePolicy ${name}`;
      return (await client.ask(asked, (ecr) => ecr.getLifecyclePolicy(of(name)), lacks))?.lifecyclePolicyText;
    },

    async putLifecyclePolicy(name, lifecyclePolicyText) {
      await client.ask(`PutLifecyclePolicy ${name}`, (ecr) =>
        ecr.putLifecyclePolicy({ ...of(name), lifecyclePolicyText }),
      );
    },
  };
}
