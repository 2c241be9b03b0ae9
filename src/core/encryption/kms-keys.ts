import type { SecretBox } from '../access/secret-box.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import type { Registry } from '../values/registry.ts';
import { isKmsAlias, kmsKeyArn, parseKmsArn, REGISTRY_KEY_ALIAS } from './kms-key-names.ts';
import type { KmsKey, KmsKeyRecords } from './kms-key-records.ts';

/** The keys of the local key service, as who administers them sees them. A key is named by its id, ARN, alias or alias' ARN. */
export interface KmsKeys {
  /** Throws KmsKeyError when the alias is taken or is none. @param alias with its `alias/` */
  create(registry: Registry, given: { alias?: string; description?: string }): Promise<KmsKey>;
  /** Oldest first. */
  list(registry: Registry): Promise<KmsKey[]>;
  /** Also one whose waiting period is over. */
  find(registry: Registry, named: string): Promise<KmsKey | undefined>;
  /** The registry's own key, made when there is none. */
  ensureDefault(registry: Registry): Promise<KmsKey>;
  /** These throw KmsKeyError when there is no such key, or its state forbids it. */
  enable(registry: Registry, named: string): Promise<KmsKey>;
  disable(registry: Registry, named: string): Promise<KmsKey>;
  /** @param days until it goes, 7 to 30 */
  scheduleDeletion(registry: Registry, named: string, days: number): Promise<KmsKey>;
  /** Leaves the key disabled, as KMS does. */
  cancelDeletion(registry: Registry, named: string): Promise<KmsKey>;
}

export class KmsKeyError extends Error {
  override readonly name = 'KmsKeyError';
}

const MATERIAL_BYTES = 32;
const DAY_SECONDS = 24 * 3600;

export function createKmsKeys(
  { metadata, now, newId, randomBytes }: Pick<CoreDependencies, 'metadata' | 'now' | 'newId' | 'randomBytes'>,
  openBox: () => Promise<SecretBox>,
): KmsKeys {
  const newKey = async (registry: Registry, alias: string | undefined, description: string): Promise<KmsKey> => {
    const arn = kmsKeyArn(registry, newId());
    const material = Buffer.from(randomBytes(MATERIAL_BYTES)).toString('base64');
    const sealedMaterial = (await openBox()).seal(material, contextOf(arn));
    const named = alias !== undefined && { alias };
    return { registry, arn, ...named, description, state: 'Enabled', sealedMaterial, createdAt: now() };
  };

  /** Keys under two key files would be half of them lost to the server. */
  const requireKeyFile = async (registry: Registry): Promise<void> => {
    const [present] = await metadata.read.kmsKeys.list(registry);
    if (!present) return;
    const box = await openBox();
    try {
      box.open(present.sealedMaterial, contextOf(present.arn));
    } catch (cause) {
      const reason =
        'The key file is not the one under which this server keeps its keys; name that one with --key-file';
      throw new KmsKeyError(reason, { cause });
    }
  };

  const change = (registry: Registry, named: string, changed: (key: KmsKey) => Pick<KmsKey, 'state' | 'deletionAt'>) =>
    metadata.transaction('registry', async ({ kmsKeys }) => {
      const key = await findIn(kmsKeys, registry, named);
      if (!key || isGone(key, now())) throw new KmsKeyError(`There is no key '${named}' in ${registry.region}`);
      const { state, deletionAt } = changed(key);
      await kmsKeys.changeState(key.arn, state, deletionAt);
      const { deletionAt: _, ...rest } = key;
      return { ...rest, state, ...(deletionAt && { deletionAt }) };
    });

  return {
    async create(registry, { alias, description = '' }) {
      if (alias !== undefined && !isKmsAlias(alias)) throw new KmsKeyError(ALIAS_WORDS);
      await requireKeyFile(registry);
      const key = await newKey(registry, alias, description);
      return metadata.transaction('registry', async ({ kmsKeys }) => {
        const present = alias !== undefined && (await kmsKeys.findByAlias(registry, alias));
        if (present) throw new KmsKeyError(`${alias} is of ${present.arn} already`);
        await kmsKeys.insert(key);
        return key;
      });
    },

    list: (registry) => metadata.read.kmsKeys.list(registry),
    find: (registry, named) => findIn(metadata.read.kmsKeys, registry, named),

    async ensureDefault(registry) {
      const present = await metadata.read.kmsKeys.findByAlias(registry, REGISTRY_KEY_ALIAS);
      if (present) return present;
      const key = await newKey(registry, REGISTRY_KEY_ALIAS, 'Encrypts repositories that name no key');
      return metadata.transaction('registry', async ({ kmsKeys }) => {
        const other = await kmsKeys.findByAlias(registry, REGISTRY_KEY_ALIAS);
        if (!other) await kmsKeys.insert(key);
        return other ?? key;
      });
    },

    enable: (registry, named) => change(registry, named, (key) => ({ state: requireKept(key, 'Enabled') })),
    disable: (registry, named) => change(registry, named, (key) => ({ state: requireKept(key, 'Disabled') })),

    async scheduleDeletion(registry, named, days) {
      const isPossible = Number.isInteger(days) && days >= DAYS_MIN && days <= DAYS_MAX;
      if (!isPossible) throw new KmsKeyError(`A key waits ${DAYS_MIN} to ${DAYS_MAX} days for its deletion`);
      const deletionAt = secondsAfter(now(), days * DAY_SECONDS);
      return change(registry, named, (key) => {
        requireKept(key, key.state);
        // KMS refuses it for keys that AWS manages: repositories that name no key would have none until it is gone.
        if (key.alias === REGISTRY_KEY_ALIAS) throw new KmsKeyError(`${key.arn} ${OF_REGISTRY_WORDS}`);
        return { state: 'PendingDeletion', deletionAt };
      });
    },

    cancelDeletion: (registry, named) =>
      change(registry, named, ({ arn, state }) => {
        if (state !== 'PendingDeletion') throw new KmsKeyError(`${arn} is not pending deletion`);
        return { state: 'Disabled' };
      }),
  };
}

/** Waiting periods of KMS (KMS developer guide, "Deleting keys"). */
const DAYS_MIN = 7;
const DAYS_MAX = 30;

const ALIAS_WORDS = 'An alias is up to 250 letters, digits and /_- and does not begin with aws/';

const OF_REGISTRY_WORDS = `is the registry's own key, ${REGISTRY_KEY_ALIAS}, which is not deleted; gantry kms disable ends its use`;

/** What the material of a key is sealed for. */
export function contextOf(arn: string): string {
  return `kms key ${arn}`;
}

/** Whether a key's waiting period is over. It goes with the next garbage collection. */
export function isGone({ state, deletionAt }: KmsKey, now: Date): boolean {
  return state === 'PendingDeletion' && deletionAt !== undefined && deletionAt <= now;
}

async function findIn(
  records: Pick<KmsKeyRecords, 'find' | 'findByAlias'>,
  registry: Registry,
  named: string,
): Promise<KmsKey | undefined> {
  const parsed = named.startsWith('arn:') ? parseKmsArn(named) : { registry, name: named };
  if (!parsed || parsed.registry.region !== registry.region) return undefined;
  const { name } = parsed;
  if (name.startsWith('alias/')) return records.findByAlias(parsed.registry, name);
  return records.find(kmsKeyArn(parsed.registry, name));
}

function requireKept<State extends KmsKey['state']>({ arn, state }: KmsKey, wanted: State): State {
  if (state !== 'PendingDeletion') return wanted;
  throw new KmsKeyError(`${arn} is pending deletion; gantry kms cancel-deletion keeps it`);
}
