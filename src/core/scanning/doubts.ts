import { distributionsOf } from './ecosystems.ts';
import type { ImageInventory } from './inventory.ts';
import { isOfDistribution } from './package.ts';

/**
 * Why an image may have weaknesses that its findings do not say: a scan without findings is no promise then.
 *
 * @param hasRecords whether anything at all is known of an ecosystem
 * @returns sentences without their ends; none when all packages that were found were judged
 */
export function doubtsOf(image: ImageInventory, hasRecords: (ecosystem: string) => boolean): string[] {
  return [...doubtsOfDistribution(image, hasRecords), ...image.unread.map(({ path, reason }) => `${path}: ${reason}`)];
}

function doubtsOfDistribution(
  { packages, osRelease }: ImageInventory,
  hasRecords: (ecosystem: string) => boolean,
): string[] {
  const count = packages.filter(isOfDistribution).length;
  if (count === 0) return [];
  const ecosystems = distributionsOf(osRelease);
  if (ecosystems.some(hasRecords)) return [];
  const system = osRelease?.name ?? osRelease?.id ?? 'a system without os-release';
  if (ecosystems.length === 0) return [`No records are published of the ${count} packages of ${system}`];
  return [`The database has no records of ${ecosystems.join(' or ')}, of which the image has ${count} packages`];
}
