import { RefusedError } from '../errors.ts';
import { UpstreamError } from '../upstreams/upstream.ts';
import type { MigrationReport } from './migration-report.ts';
import type { MigrationSource, MigrationTarget } from './places.ts';
import { isSameDocument, isSameValue } from './same-settings.ts';
import { type RepositorySettings, SettingError, type SettingsPlace, type TemplateSettings } from './settings-place.ts';

export interface SettingsRun {
  readonly source: Pick<MigrationSource, 'name' | 'settings'>;
  readonly target: Pick<MigrationTarget, 'name' | 'settings'>;
  readonly isDryRun: boolean;
  readonly report: MigrationReport;
}

/**
 * Makes the settings of a repository those of another. What is so already is not put again; what only the target has stays.
 * Rejects with SettingError when the source has no such repository.
 *
 * @param when a lifecycle policy comes after the images: it must not see half of them
 */
export async function copyRepositorySettings(
  run: SettingsRun,
  sourceName: string,
  targetName: string,
  when: 'before' | 'after',
): Promise<void> {
  const places = placesOf(run);
  if (!places) return;
  const { from, to } = places;
  const put = (what: string, work: () => Promise<Change | undefined>) => apply(run, `${sourceName} (${what})`, work);
  if (when === 'after') {
    await put('lifecycle policy', async () => {
      const document = await from.lifecyclePolicy(sourceName);
      if (document === undefined) return undefined;
      const isSame = isSameDocument(document, await to.lifecyclePolicy(targetName));
      return { isSame, put: () => to.putLifecyclePolicy(targetName, document) };
    });
    return;
  }
  const wanted = await from.repository(sourceName);
  if (!wanted) throw new SettingError('refused', `${run.source.name} has no repository ${sourceName}`);
  await put('settings', async () => {
    const present = await to.repository(targetName);
    return present
      ? changeOf(run, to, targetName, wanted, present)
      : { isSame: false, put: () => create(run, to, targetName, wanted) };
  });
  await put('repository policy', async () => {
    const policy = await from.repositoryPolicy(sourceName);
    if (policy === undefined) return undefined;
    const isSame = isSameDocument(policy, await to.repositoryPolicy(targetName));
    return { isSame, put: () => to.putRepositoryPolicy(targetName, policy) };
  });
}

/** Likewise what is set for a registry as a whole. */
export async function copyRegistrySettings(run: SettingsRun): Promise<void> {
  const places = placesOf(run);
  if (!places) return;
  const { from, to } = places;
  await apply(run, 'registry policy', async () => {
    const policy = await from.registryPolicy();
    if (policy === undefined) return undefined;
    return { isSame: isSameDocument(policy, await to.registryPolicy()), put: () => to.putRegistryPolicy(policy) };
  });
  for (const given of await listed(run, 'repository creation templates', () => from.templates())) {
    const template = withoutDefaults(given);
    await apply(run, `repository creation template ${template.prefix}`, async () => {
      const present = (await to.templates()).find(({ prefix }) => prefix === template.prefix);
      return {
        isSame: present !== undefined && isSameValue(withoutDefaults(present), template),
        put: () => to.putTemplate(template),
      };
    });
  }
  for (const rule of await listed(run, 'pull through cache rules', () => from.cacheRules())) {
    await apply(run, `pull through cache rule ${rule.prefix}`, async () => {
      const present = (await to.cacheRules()).some(({ prefix }) => prefix === rule.prefix);
      return { isSame: present, put: () => to.createCacheRule(rule) };
    });
  }
  await apply(run, 'replication rules', async () => {
    const rules = await from.replicationRules();
    if (rules.length === 0) return undefined;
    return { isSame: isSameValue(rules, await to.replicationRules()), put: () => to.putReplicationRules(rules) };
  });
}

/** One registry tells of defaults and another does not. */
function withoutDefaults(template: TemplateSettings): TemplateSettings {
  const isDefault = (value: unknown) =>
    value === undefined ||
    value === '' ||
    value === 'MUTABLE' ||
    (Array.isArray(value) && value.length === 0) ||
    isSameValue(value, { encryptionType: 'AES256' });
  const kept = Object.entries(template).filter(([name, value]) => name === 'appliedFor' || !isDefault(value));
  return Object.fromEntries(kept) as unknown as TemplateSettings;
}

interface Change {
  readonly isSame: boolean;
  put(): Promise<void>;
}

/** Once: `--with-settings` was refused before when one side has no settings at all. */
function placesOf({ source, target }: SettingsRun): { from: SettingsPlace; to: SettingsPlace } | undefined {
  return source.settings && target.settings && { from: source.settings, to: target.settings };
}

/** What a registry does not have is a note, what it refuses a failure; neither keeps the rest from being copied. */
async function apply(run: SettingsRun, subject: string, find: () => Promise<Change | undefined>): Promise<void> {
  const { report, isDryRun } = run;
  try {
    const change = await find();
    if (!change) return;
    if (!change.isSame && !isDryRun) await change.put();
    report.settings[change.isSame ? 'present' : 'put'] += 1;
  } catch (error) {
    tell(run, subject, error);
  }
}

async function listed<T>(run: SettingsRun, subject: string, list: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await list();
  } catch (error) {
    tell(run, subject, error);
    return [];
  }
}

function tell({ report }: SettingsRun, subject: string, error: unknown): void {
  if (error instanceof SettingError && error.code === 'unserved') {
    report.notes.push(`${subject}: ${error.message}`);
    return;
  }
  const isTold = [SettingError, RefusedError, UpstreamError].some((kind) => error instanceof kind);
  if (!isTold) throw error;
  report.settings.failed += 1;
  report.failures.push({ subject, reason: (error as Error).message });
}

/** A registry without the key service that the source has encrypts in its own way. */
async function create(run: SettingsRun, to: SettingsPlace, name: string, wanted: RepositorySettings): Promise<void> {
  const { encryptionType } = wanted.encryption;
  if (encryptionType === 'AES256') return to.createRepository(name, wanted);
  try {
    await to.createRepository(name, { ...wanted, encryption: { encryptionType } });
  } catch (error) {
    if (!(error instanceof RefusedError) && !(error instanceof SettingError)) throw error;
    await to.createRepository(name, { ...wanted, encryption: { encryptionType: 'AES256' } });
  }
  await noteEncryption(run, to, name, wanted);
}

/** Keys belong to an account and region: no other registry has them. */
async function noteEncryption(
  { report }: SettingsRun,
  to: SettingsPlace,
  name: string,
  { encryption }: RepositorySettings,
): Promise<void> {
  const now = (await to.repository(name))?.encryption.encryptionType ?? 'AES256';
  report.notes.push(
    `${name}: encrypted with ${encryption.encryptionType} and a key of its own there, with ${now} here`,
  );
}

function changeOf(
  run: SettingsRun,
  to: SettingsPlace,
  name: string,
  wanted: RepositorySettings,
  present: RepositorySettings,
): Change {
  const changes: (() => Promise<void>)[] = [];
  const { imageTagMutability, exclusionFilters, scanOnPush, resourceTags, encryption } = wanted;
  const mutability = { imageTagMutability, exclusionFilters };
  if (
    !isSameValue(mutability, {
      imageTagMutability: present.imageTagMutability,
      exclusionFilters: present.exclusionFilters,
    })
  )
    changes.push(() => to.putTagMutability(name, mutability));
  if (scanOnPush !== present.scanOnPush) changes.push(() => to.putScanOnPush(name, scanOnPush));
  const tags = resourceTags.filter((tag) => !present.resourceTags.some((other) => isSameValue(tag, other)));
  if (tags.length > 0) changes.push(() => to.addResourceTags(name, tags));
  if (encryption.encryptionType !== present.encryption.encryptionType) {
    const [there, here] = [encryption.encryptionType, present.encryption.encryptionType];
    run.report.notes.push(`${name}: encrypted with ${there} there, with ${here} here; that cannot be changed`);
  }
  return {
    isSame: changes.length === 0,
    async put() {
      for (const change of changes) await change();
    },
  };
}
