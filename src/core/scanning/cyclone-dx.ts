import { createHash } from 'node:crypto';
import { distributionsOf } from './ecosystems.ts';
import type { FoundPackage, ImageInventory } from './inventory.ts';
import type { PackageType } from './package.ts';
import { packageUrl } from './package-url.ts';
import type { SbomSubject } from './scan-engine.ts';

/** CycloneDX in JSON (cyclonedx.org, specification 1.5; IANA, media types). */
export const CYCLONE_DX_TYPE = 'application/vnd.cyclonedx+json';

/**
 * What an image holds, as a CycloneDX document. It has no time and no random number in it, so that the same image with the
 * same inventory has the same document, and the registry keeps it once.
 */
export function cycloneDxOf(image: ImageInventory, { digest, repositoryName }: SbomSubject): object {
  const { osRelease, packages } = image;
  const components = [
    ...(osRelease ? [{ type: 'operating-system', name: osRelease.id, version: osRelease.versionId }] : []),
    ...packages.map((one) => componentOf(one, image)).sort(byReference),
  ];
  const hex = createHash('sha256')
    .update(JSON.stringify([digest, repositoryName, components]))
    .digest('hex');
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    serialNumber: `urn:uuid:${uuidOf(hex)}`,
    version: 1,
    metadata: {
      tools: { components: [{ type: 'application', name: 'gantry' }] },
      component: {
        type: 'container',
        'bom-ref': digest,
        name: repositoryName,
        version: digest,
      },
      properties: [
        ...distributionsOf(osRelease).map((name) => ({ name: 'gantry:ecosystem', value: name })),
        ...image.unread.map(({ path, reason }) => ({ name: 'gantry:unread', value: `${path}: ${reason}` })),
      ],
    },
    components,
  };
}

type Component = ReturnType<typeof componentOf>;

function componentOf(one: FoundPackage, { osRelease }: ImageInventory) {
  const purl = packageUrl(one, osRelease);
  const { source } = one;
  return {
    type: 'library',
    'bom-ref': `${purl}#${createHash('sha256').update(one.path).digest('hex').slice(0, 16)}`,
    name: one.name,
    version: one.version,
    purl,
    properties: [
      { name: 'gantry:type', value: one.type satisfies PackageType },
      { name: 'gantry:path', value: one.path },
      ...(source ? [{ name: 'gantry:source', value: `${source.name} ${source.version}` }] : []),
    ],
  };
}

function byReference(one: Component, other: Component): number {
  if (one['bom-ref'] === other['bom-ref']) return 0;
  return one['bom-ref'] < other['bom-ref'] ? -1 : 1;
}

/** RFC 9562 section 5.8, a UUID of our own making. */
function uuidOf(hex: string): string {
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}
