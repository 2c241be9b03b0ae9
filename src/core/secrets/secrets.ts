import type { SecretBox } from '../access/secret-box.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { RefusedError, refuse } from '../errors.ts';
import type { Registry } from '../values/registry.ts';
import type { Secret } from './secret-records.ts';

/** User names and passwords of registries elsewhere, where ECR has Secrets Manager. */
export interface Secrets {
  /** Keeps a secret under a name, in place of one that is there, which keeps its ARN. Throws SecretNameError. */
  put(registry: Registry, name: string, value: SecretValue): Promise<Secret>;
  /** In the order of names. */
  list(registry: Registry): Promise<Secret[]>;
  /** @returns whether there was one */
  delete(registry: Registry, name: string): Promise<boolean>;
  /**
   * What a secret of the registry says. Refuses with secret-not-found, with secret-inaccessible when it belongs to another
   * account or region, and with secret-undecryptable.
   */
  open(registry: Registry, arn: string): Promise<SecretValue>;
}

/** The members of ECR's secrets (ECR user guide, "Storing your upstream repository credentials"). */
export interface SecretValue {
  readonly username: string;
  readonly accessToken: string;
  /** The one host that it may be sent to, with its port if it has one; any that a rule names when absent. */
  readonly host?: string;
}

export class SecretNameError extends Error {
  override readonly name = 'SecretNameError';
}

/** What a rule's `credentialArn` allows behind `ecr-pullthroughcache/`. */
const NAME = /^[a-zA-Z0-9/_+=.@-]{1,200}$/;
const SUFFIX_LENGTH = 6;

export function createSecrets(
  { metadata, now, randomBytes, settings }: Pick<CoreDependencies, 'metadata' | 'now' | 'randomBytes' | 'settings'>,
  box: SecretBox,
): Secrets {
  return {
    async put(registry, name, value) {
      checkName(name);
      const updatedAt = now();
      return metadata.transaction('registry', async ({ secrets }) => {
        const present = await secrets.find(registry, name);
        const arn = present?.arn ?? arnOf(settings.partition, registry, name, suffix(randomBytes));
        const sealedValue = box.seal(JSON.stringify(value), contextOf(arn));
        const secret = { registry, name, arn, sealedValue, createdAt: present?.createdAt ?? updatedAt, updatedAt };
        await secrets.put(secret);
        return secret;
      });
    },

    list: (registry) => metadata.read.secrets.list(registry),

    delete: (registry, name) => metadata.transaction('registry', ({ secrets }) => secrets.delete(registry, name)),

    async open(registry, arn) {
      const { region, accountId, name } = parseArn(arn) ?? refuse({ kind: 'secret-not-found', arn });
      if (region !== registry.region || accountId !== registry.accountId) {
        refuse({ kind: 'secret-inaccessible', arn, because: 'it is of another account or region' });
      }
      const { secrets } = metadata.read;
      const secret = (await secrets.findByArn(arn)) ?? (await secrets.find(registry, name));
      if (!secret) return refuse({ kind: 'secret-not-found', arn });
      return openSecret(box, secret);
    },
  };
}

function openSecret(box: SecretBox, { arn, sealedValue }: Secret): SecretValue {
  try {
    return JSON.parse(box.open(sealedValue, contextOf(arn)));
  } catch (cause) {
    throw new RefusedError({ kind: 'secret-undecryptable', arn }, { cause });
  }
}

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new SecretNameError(`A secret's name is up to 200 letters, digits and /_+=.@-, not '${name}'`);
}

/** As Secrets Manager names them. */
function arnOf(partition: string, { region, accountId }: Registry, name: string, ending: string): string {
  return `arn:${partition}:secretsmanager:${region}:${accountId}:secret:ecr-pullthroughcache/${name}-${ending}`;
}

const ARN = /^arn:[a-z-]+:secretsmanager:([a-z0-9-]+):([0-9]{12}):secret:ecr-pullthroughcache\/(.+)$/;

function parseArn(arn: string) {
  const [, region, accountId, name] = ARN.exec(arn) ?? [];
  if (region === undefined || accountId === undefined || name === undefined) return undefined;
  return { region, accountId, name };
}

function contextOf(arn: string): string {
  return `secret ${arn}`;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function suffix(randomBytes: CoreDependencies['randomBytes']): string {
  return Array.from(randomBytes(SUFFIX_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}
