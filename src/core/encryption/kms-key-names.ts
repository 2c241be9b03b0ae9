import { partitionOf, type Registry } from '../values/registry.ts';

/** What a registry's repositories are encrypted under when they name no key; made when it is first needed. */
export const REGISTRY_KEY_ALIAS = 'alias/aws/ecr';

/** As KMS names keys. */
export function kmsKeyArn({ region, accountId }: Registry, id: string): string {
  return `arn:${partitionOf(region)}:kms:${region}:${accountId}:key/${id}`;
}

/** What an ARN of a key or an alias speaks of; undefined for any other text. */
export function parseKmsArn(arn: string): { registry: Registry; name: string } | undefined {
  const [, region, accountId, name] = ARN.exec(arn) ?? [];
  if (region === undefined || accountId === undefined || name === undefined) return undefined;
  return { registry: { region, accountId }, name: name.replace(/^key\//, '') };
}

/** Whether an alias, with its `alias/`, is one that an operator may give. */
export function isKmsAlias(alias: string): boolean {
  return ALIAS.test(alias) && !alias.startsWith('alias/aws/');
}

const ARN = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):([0-9]{12}):(key\/[a-zA-Z0-9-]+|alias\/[a-zA-Z0-9/_-]+)$/;
const ALIAS = /^alias\/[a-zA-Z0-9/_-]{1,250}$/;
