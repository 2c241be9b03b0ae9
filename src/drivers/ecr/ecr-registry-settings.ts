import type { PullThroughCacheRule, RepositoryCreationTemplate } from '@aws-sdk/client-ecr';
import type { SettingsPlace, TemplateSettings } from '../../core/migration/settings-place.ts';
import type { EcrClient } from './ecr-client.ts';
import { encryptionOf, exclusionFiltersOf, resourceTagsOf, tagsOf } from './ecr-shapes.ts';

type RegistrySettings = Pick<
  SettingsPlace,
  | 'registryPolicy'
  | 'putRegistryPolicy'
  | 'replicationRules'
  | 'putReplicationRules'
  | 'templates'
  | 'putTemplate'
  | 'cacheRules'
  | 'createCacheRule'
>;

/** Of the caller's own registry: none of these operations takes another. */
export function createEcrRegistrySettings(client: EcrClient): RegistrySettings {
  return {
    async registryPolicy() {
      const lacks = ['RegistryPolicyNotFoundException'];
      return (await client.ask('GetRegistryPolicy', (ecr) => ecr.getRegistryPolicy(), lacks))?.policyText;
    },

    async putRegistryPolicy(policyText) {
      await client.ask('PutRegistryPolicy', (ecr) => ecr.putRegistryPolicy({ policyText }));
    },

    async replicationRules() {
      const { replicationConfiguration } = await client.ask('DescribeRegistry', (ecr) => ecr.describeRegistry());
      return (replicationConfiguration?.rules ?? []).map(({ destinations = [], repositoryFilters = [] }) => ({
        destinations: destinations.map(({ region = '', registryId = '' }) => ({ accountId: registryId, region })),
        prefixes: repositoryFilters.map(({ filter = '' }) => filter),
      }));
    },

    async putReplicationRules(rules) {
      const written = rules.map(({ destinations, prefixes }) => ({
        destinations: destinations.map(({ accountId, region }) => ({ region, registryId: accountId })),
        ...(prefixes.length > 0 && {
          repositoryFilters: prefixes.map((filter) => ({ filter, filterType: 'PREFIX_MATCH' as const })),
        }),
      }));
      await client.ask('PutReplicationConfiguration', (ecr) =>
        ecr.putReplicationConfiguration({ replicationConfiguration: { rules: written } }),
      );
    },

    async templates() {
      const found: TemplateSettings[] = [];
      let nextToken: string | undefined;
      do {
        const page = await client.ask('DescribeRepositoryCreationTemplates', (ecr) =>
          ecr.describeRepositoryCreationTemplates({ nextToken }),
        );
        found.push(...(page.repositoryCreationTemplates ?? []).map(templateOf));
        nextToken = page.nextToken;
      } while (nextToken);
      return found;
    },

    async putTemplate({ prefix, ...template }) {
      const { encryption, exclusionFilters, resourceTags, appliedFor, ...plain } = template;
      const input = {
        ...plain,
        prefix,
        appliedFor: [...appliedFor],
        ...(encryption && { encryptionConfiguration: encryption }),
        ...(exclusionFilters && { imageTagMutabilityExclusionFilters: [...exclusionFilters] }),
        ...(resourceTags && { resourceTags: tagsOf(resourceTags) }),
      };
      await client.ask(
        `DeleteRepositoryCreationTemplate ${prefix}`,
        (ecr) => ecr.deleteRepositoryCreationTemplate({ prefix }),
        ['TemplateNotFoundException'],
      );
      await client.ask(`CreateRepositoryCreationTemplate ${prefix}`, (ecr) =>
        ecr.createRepositoryCreationTemplate(input),
      );
    },

    async cacheRules() {
      const found: PullThroughCacheRule[] = [];
      let nextToken: string | undefined;
      do {
        const page = await client.ask('DescribePullThroughCacheRules', (ecr) =>
          ecr.describePullThroughCacheRules({ nextToken }),
        );
        found.push(...(page.pullThroughCacheRules ?? []));
        nextToken = page.nextToken;
      } while (nextToken);
      return found.map((rule) => ({
        prefix: rule.ecrRepositoryPrefix ?? '',
        upstreamUrl: rule.upstreamRegistryUrl ?? '',
        ...(rule.upstreamRegistry && { upstreamKind: rule.upstreamRegistry }),
        ...(rule.upstreamRepositoryPrefix !== undefined && { upstreamPrefix: rule.upstreamRepositoryPrefix }),
        ...(rule.credentialArn !== undefined && { credentialArn: rule.credentialArn }),
        ...(rule.customRoleArn !== undefined && { customRoleArn: rule.customRoleArn }),
      }));
    },

    async createCacheRule({ prefix, upstreamUrl, upstreamKind, upstreamPrefix, credentialArn, customRoleArn }) {
      await client.ask(`CreatePullThroughCacheRule ${prefix}`, (ecr) =>
        ecr.createPullThroughCacheRule({
          ecrRepositoryPrefix: prefix,
          upstreamRegistryUrl: upstreamUrl,
          upstreamRegistry: upstreamKind,
          upstreamRepositoryPrefix: upstreamPrefix,
          credentialArn,
          customRoleArn,
        }),
      );
    },
  };
}

function templateOf(template: RepositoryCreationTemplate): TemplateSettings {
  const { prefix = '', description, resourceTags, imageTagMutability, customRoleArn } = template;
  const { repositoryPolicy, lifecyclePolicy, appliedFor = [] } = template;
  return {
    prefix,
    appliedFor: appliedFor as TemplateSettings['appliedFor'],
    encryption: encryptionOf(template.encryptionConfiguration),
    exclusionFilters: exclusionFiltersOf(template.imageTagMutabilityExclusionFilters),
    ...(description !== undefined && { description }),
    ...(resourceTags && { resourceTags: resourceTagsOf(resourceTags) }),
    ...(imageTagMutability && { imageTagMutability }),
    ...(repositoryPolicy !== undefined && { repositoryPolicy }),
    ...(lifecyclePolicy !== undefined && { lifecyclePolicy }),
    ...(customRoleArn !== undefined && { customRoleArn }),
  };
}
