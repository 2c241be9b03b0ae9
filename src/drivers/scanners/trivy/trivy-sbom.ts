import type { FoundPackage, ImageInventory } from '../../../core/scanning/inventory.ts';
import type { OsRelease } from '../../../core/scanning/os-release.ts';
import { isOfDistribution } from '../../../core/scanning/package.ts';
import { packageUrl } from '../../../core/scanning/package-url.ts';

/**
 * An image's packages as Trivy reads them (CycloneDX 1.5, with the properties of Trivy's own documents): nothing is read
 * twice, and nothing of the image but their names leaves the server.
 *
 * @param packages each is named by its place in this list, `package-0` first
 */
export function trivySbom(packages: readonly FoundPackage[], osRelease: ImageInventory['osRelease']): object {
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { type: 'container', 'bom-ref': 'image', name: 'image' } },
    components: [
      ...(osRelease ? [{ type: 'operating-system', 'bom-ref': 'system', ...systemOf(osRelease) }] : []),
      ...packages.map((one, place) => ({
        type: 'library',
        'bom-ref': referenceOf(place),
        name: one.name,
        version: one.version,
        purl: packageUrl(one, osRelease),
        properties: propertiesOf(one).map(([name, value]) => ({ name: `aquasecurity:trivy:${name}`, value })),
      })),
    ],
  };
}

export function referenceOf(place: number): string {
  return `package-${place}`;
}

function systemOf({ id, versionId }: OsRelease) {
  return { name: SYSTEMS[id] ?? id, version: versionId ?? '' };
}

/** Trivy's names, where they are not those of os-release. */
const SYSTEMS: Readonly<Record<string, string>> = {
  rhel: 'redhat',
  almalinux: 'alma',
  amzn: 'amazon',
  ol: 'oracle',
  'opensuse-leap': 'opensuse.leap',
  sles: 'suse linux enterprise server',
  mariner: 'cbl-mariner',
};

function propertiesOf(one: FoundPackage): [name: string, value: string][] {
  if (!isOfDistribution(one))
    return [
      ['FilePath', one.path],
      ['PkgType', LANGUAGES[one.type] ?? one.type],
    ];
  const { name, version } = one.source ?? one;
  if (one.type !== 'rpm')
    return [
      ['SrcName', name],
      ['SrcVersion', version],
    ];
  const [, epoch, upstream = version, release] = /^(?:(\d+):)?(.*?)(?:-([^-]*))?$/.exec(version) ?? [];
  return [
    ['SrcName', name],
    ['SrcVersion', upstream],
    ...(release === undefined ? [] : [['SrcRelease', release] as [string, string]]),
    ...(epoch === undefined ? [] : [['SrcEpoch', epoch] as [string, string]]),
  ];
}

const LANGUAGES: Readonly<Record<string, string>> = {
  npm: 'node-pkg',
  python: 'python-pkg',
  go: 'gobinary',
  java: 'jar',
};
