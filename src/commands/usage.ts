import { quotaLimitsOf } from '../compose/quota-limits.ts';
import { openStores } from '../compose/stores.ts';
import { readUsageConfig } from '../config/config.ts';
import {
  type NamedRepositoryUsage,
  type QuotaUse,
  type RegistryTotal,
  type RegistryUsage,
  readRegistryUsage,
} from '../core/quotas/registry-usage.ts';
import { isSameRegistry, type Registry } from '../core/values/registry.ts';
import type { Invocation } from './command-spec.ts';
import { say, table } from './output.ts';
import { createProgressLine, describeBytes } from './progress-line.ts';

/** `gantry usage`: what a registry holds, beside a server or without one. */
export async function usage(invocation: Invocation): Promise<void> {
  const config = readUsageConfig(invocation.flags, invocation.environment);
  const { dataDirectory, databaseUrl, quotas, ...registry } = config;
  const limits = quotaLimitsOf(quotas);
  await using stores = await openStores(dataDirectory, { databaseUrl });
  const { read } = stores.metadata;
  using progress = createProgressLine();
  const found = await readRegistryUsage(read, registry, limits, new Date(), (count) =>
    progress.show(`${count} repositories looked at`),
  );
  progress.clear();
  const others = (await read.usage.registries()).filter((other) => !isSameRegistry(other, registry));
  say(invocation, [...linesOf(found), ...hintAt(found, others)], found);
}

function linesOf({ registry, quotas, repositories, total }: RegistryUsage): string[] {
  return [
    `Registry ${registry.accountId} in ${registry.region}`,
    '',
    ...table(['QUOTA', 'USED', 'LIMIT', 'SHARE', 'MOST IN'], quotas.map(quotaRow)),
    '',
    ...(repositories.length === 0 ? [] : [...repositoryTable(repositories), '']),
    ...describeTotal(total),
  ];
}

function quotaRow({ name, limit, used, repositoryName }: QuotaUse): string[] {
  const amount = name === 'layer-bytes' ? describeBytes : String;
  return [name, amount(used), amount(limit), percentage(used, limit), repositoryName ?? ''];
}

function repositoryTable(repositories: readonly NamedRepositoryUsage[]): string[] {
  return table(
    ['REPOSITORY', 'IMAGES', 'ARCHIVED', 'TAGS', 'LOGICAL', 'STORED', 'IN ARCHIVE'],
    repositories.map((one) => [
      one.repositoryName,
      String(one.images),
      String(one.archivedImages),
      String(one.tags),
      describeBytes(one.logicalBytes),
      describeBytes(one.storedBytes),
      describeBytes(one.archivedStoredBytes),
    ]),
  );
}

function describeTotal(total: RegistryTotal): string[] {
  const { repositories, images, archivedImages, tags, logicalBytes, storedBytes, archivedStoredBytes, savedBytes } =
    total;
  return [
    `${repositories} repositories with ${images} images (${archivedImages} archived) and ${tags} tags; ` +
      `their layers would take ${describeBytes(logicalBytes)} if none were shared.`,
    `Stored are ${describeBytes(storedBytes)} in ${total.blobs} blobs, ${describeBytes(archivedStoredBytes)} of them in the archive; ` +
      `sharing saves ${describeBytes(savedBytes)} (${percentage(savedBytes, logicalBytes)}).`,
  ];
}

function hintAt({ repositories }: RegistryUsage, others: readonly Registry[]): string[] {
  if (repositories.length > 0 || others.length === 0) return [];
  return [
    'Other registries of this folder have repositories:',
    ...others.map(({ accountId, region }) => `  gantry usage --account ${accountId} --region ${region}`),
  ];
}

function percentage(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;
}
