import type { Call } from '../access/caller.ts';
import { createPolicies } from '../access/policies.ts';
import type { CacheRules } from '../caching/cache-rules.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { type RefusalKind, RefusedError } from '../errors.ts';
import { createLifecycle } from '../lifecycle/lifecycle-policies.ts';
import { createReplication } from '../replication/replication-configuration.ts';
import { type CreationTemplates, createCreationTemplates } from '../repositories/creation-templates.ts';
import { findRepository } from '../repositories/find-repository.ts';
import { createRepositories } from '../repositories/repositories.ts';
import { SettingError, type SettingsPlace, type TemplateSettings } from './settings-place.ts';

/** More than a registry has of templates or rules. */
const ALL = 1000;

/** Settings of a registry of this server; a running one sees changes within a second. */
export function createLocalSettings(
  dependencies: CoreDependencies,
  call: Call,
  cacheRules: Pick<CacheRules, 'create' | 'list'>,
): SettingsPlace {
  const { metadata } = dependencies;
  const repositories = createRepositories(dependencies);
  // The memory of who may do what is the server's, which notices by itself.
  const policies = createPolicies(dependencies, { refresh: async () => {} });
  const lifecycle = createLifecycle(dependencies);
  const replication = createReplication(dependencies);
  const templates = createCreationTemplates(dependencies);
  return {
    repository: (name) => unless(['repository-not-found'], repositories.get(call, name)),
    async createRepository(repositoryName, { resourceTags: tags, ...settings }) {
      await repositories.create(call, { repositoryName, tags, ...settings });
    },
    async putTagMutability(repositoryName, settings) {
      await repositories.putTagMutability(call, { repositoryName, ...settings });
    },
    async putScanOnPush(repositoryName, scanOnPush) {
      await metadata.transaction('repository', async (records) => {
        const { id } = await findRepository(records, call.registry, repositoryName);
        await records.repositories.update(id, { scanOnPush });
      });
    },
    addResourceTags: (repositoryName, tags) => repositories.tagResource(call, { repositoryName, tags }),
    repositoryPolicy: (name) =>
      unless(['repository-policy-not-found', 'repository-not-found'], policies.getRepositoryPolicy(call, name)),
    putRepositoryPolicy: (repositoryName, policyText) =>
      policies.putRepositoryPolicy(call, { repositoryName, policyText, force: true }),
    lifecyclePolicy: async (name) =>
      (await unless(['lifecycle-policy-not-found', 'repository-not-found'], lifecycle.getPolicy(call, name)))?.document,
    async putLifecyclePolicy(repositoryName, document) {
      await lifecycle.putPolicy(call, { repositoryName, document });
    },
    registryPolicy: () => unless(['registry-policy-not-found'], policies.getRegistryPolicy(call)),
    putRegistryPolicy: (policyText) => policies.putRegistryPolicy(call, policyText),
    replicationRules: () => replication.rules(call),
    putReplicationRules: (rules) => replication.putRules(call, rules),
    templates: async () => (await templates.list(call, { after: '', limit: ALL })).templates.map(withoutOrigin),
    putTemplate: (template) => putTemplate(templates, call, template),
    cacheRules: async () => (await cacheRules.list(call, { after: '', limit: ALL })).rules.map(withoutOrigin),
    async createCacheRule(rule) {
      await cacheRules.create(call, rule).catch(tellOfSecret);
    },
  };
}

/** Of another registry and time. */
function withoutOrigin<T extends { registry: unknown; createdAt: Date; updatedAt: Date }>({
  registry: _registry,
  createdAt: _createdAt,
  updatedAt: _updatedAt,
  ...settings
}: T): Omit<T, 'registry' | 'createdAt' | 'updatedAt'> {
  return settings;
}

/** As a whole: what the present one has and the new one has not is gone. */
async function putTemplate(templates: CreationTemplates, call: Call, template: TemplateSettings): Promise<void> {
  const [present] = await templates.getMany(call, [template.prefix]);
  if (present) await templates.delete(call, present.prefix);
  await templates.create(call, template);
}

/** Secrets are told to nobody, so they cannot come along. */
function tellOfSecret(error: unknown): never {
  const isSecret =
    error instanceof RefusedError && ['secret-not-found', 'secret-inaccessible'].includes(error.refusal.kind);
  if (!isSecret) throw error;
  throw new SettingError('unserved', `left out, for it needs its credentials first: ${error.message}`, {
    cause: error,
  });
}

async function unless<T>(kinds: readonly RefusalKind[], reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof RefusedError && kinds.includes(error.refusal.kind)) return undefined;
    throw error;
  }
}
