import { type AwsCredentials, awsCredentialsOf } from './aws-credentials.ts';
import type { Environment } from './environment.ts';
import type { Setting } from './setting.ts';
import { ConfigError, type Given } from './settings-reader.ts';

/** Where the keys of repositories that are encrypted under one are. */
export type KmsConfig =
  /** In the registry's own database, under its key file. */
  | { readonly kind: 'local' }
  | {
      readonly kind: 'aws';
      /** Of all keys; undefined: that of the registry whose repository it is. */
      readonly region: string | undefined;
      /** Undefined: Amazon's, by region. */
      readonly endpoint: string | undefined;
      /** What repositories get that name no key; undefined: `alias/aws/ecr`. */
      readonly defaultKey: string | undefined;
      /** Undefined: what the AWS SDK finds. */
      readonly credentials: AwsCredentials | undefined;
    };

/** The key service; `serve` and the commands that read bytes must agree on it. */
export const KMS_SETTING = {
  flag: 'kms',
  variable: 'GANTRY_KMS',
  placeholder: 'service',
  description:
    'where the keys of repositories with KMS encryption are: local (gantry kms makes them), or aws, also as aws:?region=…&endpoint=…&defaultKey=alias/…',
  default: 'local',
} as const satisfies Setting;

export function kmsOf(given: Given, environment: Environment): KmsConfig {
  const form = 'local, or aws, or an address such as aws:?region=eu-central-1&defaultKey=alias/registry';
  const url = given.matching('kms', /^(local|aws|aws:\?[^#]*)$/, form);
  if (url === 'local') return { kind: 'local' };
  const parameters = new URLSearchParams(url.slice('aws:'.length));
  const unknown = [...parameters.keys()].find((name) => !Object.hasOwn(PARAMETERS, name));
  if (unknown !== undefined) {
    throw wrong(`has a parameter '${unknown}'; there are ${Object.keys(PARAMETERS).join(', ')}`);
  }
  return {
    kind: 'aws',
    region: parameterOf(parameters, 'region'),
    endpoint: parameterOf(parameters, 'endpoint')?.replace(/\/$/, ''),
    defaultKey: parameterOf(parameters, 'defaultKey'),
    credentials: awsCredentialsOf(environment, 'GANTRY_KMS'),
  };
}

const PARAMETERS = {
  region: [/^[0-9a-z-]{2,25}$/, 'a region such as us-east-1'],
  endpoint: [/^https?:\/\/[^/?#@\s]+\/?$/, 'scheme and host, such as https://kms.example.com'],
  defaultKey: [/^[A-Za-z0-9/:_-]{1,2048}$/, 'an alias such as alias/registry, or the id or ARN of a key'],
} as const;

function parameterOf(parameters: URLSearchParams, name: keyof typeof PARAMETERS): string | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  const [pattern, wanted] = PARAMETERS[name];
  if (!pattern.test(text)) throw wrong(`has ${name}=${text}; it is ${wanted}`);
  return text;
}

function wrong(what: string): ConfigError {
  return new ConfigError(`--kms (GANTRY_KMS) ${what}`);
}
