import { partitionOf, type Registry } from '../values/registry.ts';

/** As AWS Signer names profiles. */
export function signerProfileArn({ region, accountId }: Registry, name: string): string {
  return `arn:${partitionOf(region)}:signer:${region}:${accountId}:/signing-profiles/${name}`;
}

/** What an ARN of a profile speaks of; undefined for any other text. */
export function parseSignerProfileArn(arn: string): { registry: Registry; name: string } | undefined {
  const [, region, accountId, name] = ARN.exec(arn) ?? [];
  if (region === undefined || accountId === undefined || name === undefined) return undefined;
  return { registry: { region, accountId }, name };
}

/** AWS Signer's type ProfileName. */
export function isSignerProfileName(name: string): boolean {
  return /^[a-zA-Z0-9_]{2,64}$/.test(name);
}

const ARN = /^arn:aws[a-z-]*:signer:([a-z0-9-]+):([0-9]{12}):\/signing-profiles\/([a-zA-Z0-9_]{2,64})$/;
