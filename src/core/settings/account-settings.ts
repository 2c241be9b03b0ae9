import type { Call } from '../access/caller.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import type { Reads } from '../metadata-store.ts';
import type { Registry } from '../values/registry.ts';

/** What a registry's owner may decide about all of it. Both refuse with invalid-parameter for what there is not. */
export interface AccountSettings {
  /** The value, or what counts while nobody has said. */
  get(call: Call, name: string): Promise<string>;
  put(call: Call, input: { name: string; value: string }): Promise<void>;
}

/**
 * The names and values of GetAccountSetting and PutAccountSetting (ECR API reference). The values of the last two leave nothing
 * to decide: ECR dropped CLAIR in February and V1 in April 2026.
 */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  BASIC_SCAN_TYPE_VERSION: ['AWS_NATIVE'],
  BLOB_MOUNTING: ['ENABLED', 'DISABLED'],
  REGISTRY_POLICY_SCOPE: ['V2'],
};

export function createAccountSettings({
  metadata,
  settings,
}: Pick<CoreDependencies, 'metadata' | 'settings'>): AccountSettings {
  return {
    async get({ registry }, name) {
      const [only = ''] = valuesOf(name);
      const stored = await metadata.read.accountSettings.find(registry, name);
      if (stored !== undefined) return stored;
      if (name === 'BLOB_MOUNTING') return settings.mountsByDefault ? 'ENABLED' : 'DISABLED';
      return only;
    },

    async put({ registry }, { name, value }) {
      const values = valuesOf(name);
      if (!values.includes(value)) refuse({ kind: 'invalid-parameter', parameter: 'value', constraint: oneOf(values) });
      await metadata.transaction('registry', ({ accountSettings }) => accountSettings.put(registry, name, value));
    },
  };
}

/**
 * Whether layers may be mounted from other repositories of the registry. Read anew each time, so that a change counts at
 * once on every server.
 */
export async function allowsMounts(
  records: Pick<Reads, 'accountSettings'>,
  registry: Registry,
  { mountsByDefault }: CoreDependencies['settings'],
): Promise<boolean> {
  const stored = await records.accountSettings.find(registry, 'BLOB_MOUNTING');
  return stored === undefined ? mountsByDefault : stored === 'ENABLED';
}

function valuesOf(name: string): readonly string[] {
  if (Object.hasOwn(VALUES, name)) return VALUES[name]!;
  return refuse({ kind: 'invalid-parameter', parameter: 'name', constraint: oneOf(Object.keys(VALUES)) });
}

function oneOf(values: readonly string[]): string {
  return `Member must satisfy enum value set: [${values.join(', ')}]`;
}
