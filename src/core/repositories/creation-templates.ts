import type { Call } from '../access/caller.ts';
import { checkPolicyDocument } from '../access/policies.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { checkPolicy } from '../lifecycle/policy-document.ts';
import { refuseOverQuota } from '../quotas/quotas.ts';
import { splitPage } from '../values/page.ts';
import type { Registry } from '../values/registry.ts';
import type { CreationTemplate, CreationTemplateSettings } from './creation-template-records.ts';
import { checkResourceTags, mergeResourceTags } from './resource-tags.ts';
import { checkExclusionFilters } from './tag-mutability.ts';

/** Templates of a registry, by prefix; a slash at the end of a prefix means nothing. */
export interface CreationTemplates {
  /** Refuses with template-already-exists, limit-exceeded, invalid-parameter. */
  create(call: Call, input: { prefix: string } & CreationTemplateSettings): Promise<CreationTemplate>;
  /**
   * Changes what is given and leaves the rest; an empty policy or list takes away what there was. Refuses with
   * template-not-found, invalid-parameter.
   */
  update(call: Call, input: { prefix: string } & Partial<CreationTemplateSettings>): Promise<CreationTemplate>;
  /** Refuses with template-not-found. @returns what was deleted */
  delete(call: Call, prefix: string): Promise<CreationTemplate>;
  /** Those of the named that are there; unknown prefixes are left out. */
  getMany(call: Call, prefixes: readonly string[]): Promise<CreationTemplate[]>;
  /** In the order of prefixes, after one (empty: from the start). */
  list(call: Call, page: { after: string; limit: number }): Promise<{ templates: CreationTemplate[]; next?: string }>;
}

export function createCreationTemplates(dependencies: CoreDependencies): CreationTemplates {
  const { metadata, now } = dependencies;
  const { limits } = dependencies.quotas;
  return {
    async create(call, { prefix: given, ...chosen }) {
      const { registry } = call;
      const at = now();
      const template = withoutEmpty({ registry, prefix: trimmed(given), ...chosen, createdAt: at, updatedAt: at });
      checkSettings(template, dependencies);
      await metadata.transaction('registry', async ({ creationTemplates }) => {
        if (await creationTemplates.find(registry, template.prefix)) refuseExisting(registry, template.prefix);
        const limit = limits['creation-templates'];
        if ((await creationTemplates.page(registry, '', limit)).length >= limit) {
          const subject = `The registry with id '${registry.accountId}' can have`;
          refuseOverQuota(limits, 'creation-templates', subject, 'repository creation templates');
        }
        await creationTemplates.put(template);
      });
      return template;
    },

    async update(call, { prefix, ...changes }) {
      return metadata.transaction('registry', async ({ creationTemplates }) => {
        const present = await creationTemplates.find(call.registry, trimmed(prefix));
        if (!present) return refuseMissing(call.registry, prefix);
        const changed = withoutEmpty({ ...present, ...withoutStaleFilters(present, changes), updatedAt: now() });
        checkSettings(changed, dependencies);
        await creationTemplates.put(changed);
        return changed;
      });
    },

    async delete(call, prefix) {
      return metadata.transaction('registry', async ({ creationTemplates }) => {
        const present = await creationTemplates.find(call.registry, trimmed(prefix));
        if (!present) return refuseMissing(call.registry, prefix);
        await creationTemplates.delete(call.registry, present.prefix);
        return present;
      });
    },

    getMany: (call, prefixes) => metadata.read.creationTemplates.findMany(call.registry, prefixes.map(trimmed)),

    async list(call, { after, limit }) {
      const found = await metadata.read.creationTemplates.page(call.registry, after, limit + 1);
      const { items, last } = splitPage(found, limit);
      return { templates: items, ...(last && { next: last.prefix }) };
    },
  };
}

/** "There is always an assumed / applied to the end of the prefix" (ECR API reference). */
function trimmed(prefix: string): string {
  return prefix.replace(/\/$/, '');
}

function checkSettings(template: CreationTemplateSettings, dependencies: CoreDependencies): void {
  const { imageTagMutability = 'MUTABLE', exclusionFilters, resourceTags = [] } = template;
  checkExclusionFilters(imageTagMutability, exclusionFilters);
  checkResourceTags(resourceTags);
  mergeResourceTags([], resourceTags, 'template', dependencies.quotas.limits);
  if (template.repositoryPolicy !== undefined) checkPolicyDocument(template.repositoryPolicy, 'repository');
  if (template.lifecyclePolicy !== undefined) checkPolicy(template.lifecyclePolicy, dependencies);
}

/** Another mutability without filters of its own takes none of the old ones along. */
function withoutStaleFilters(
  present: CreationTemplateSettings,
  changes: Partial<CreationTemplateSettings>,
): Partial<CreationTemplateSettings> {
  const { imageTagMutability, exclusionFilters } = changes;
  const isOther = imageTagMutability !== undefined && imageTagMutability !== present.imageTagMutability;
  return isOther && exclusionFilters === undefined ? { ...changes, exclusionFilters: [] } : changes;
}

function withoutEmpty(template: CreationTemplate): CreationTemplate {
  const isEmpty = (value: unknown) => value === '' || (Array.isArray(value) && value.length === 0);
  const kept = Object.entries(template).filter(([name, value]) => name === 'appliedFor' || !isEmpty(value));
  return Object.fromEntries(kept) as unknown as CreationTemplate;
}

function refuseExisting({ accountId }: Registry, prefix: string): never {
  return refuse({ kind: 'template-already-exists', prefix, registryId: accountId });
}

function refuseMissing({ accountId }: Registry, prefix: string): never {
  return refuse({ kind: 'template-not-found', prefix, registryId: accountId });
}
