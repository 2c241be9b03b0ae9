import type { OsRelease } from './os-release.ts';
import type { InstalledPackage } from './package.ts';
import { isOfDistribution } from './package.ts';
import { apkOrder } from './versions/apk-order.ts';
import { dpkgOrder } from './versions/dpkg-order.ts';
import { mavenOrder } from './versions/maven-order.ts';
import { pythonOrder } from './versions/python-order.ts';
import { rpmOrder } from './versions/rpm-order.ts';
import { semverOrder } from './versions/semver-order.ts';
import type { VersionOrder } from './versions/version-order.ts';

/** Where records of a package are looked for, under which name, and which version they speak of. */
export interface Lookup {
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
}

/**
 * Where records of an installed package may be found (OSV schema, "Defined ecosystems").
 *
 * @returns none for a package of a distribution that nobody publishes records of, or that does not say which it is
 */
export function lookupsOf(one: InstalledPackage, osRelease: OsRelease | undefined): Lookup[] {
  const own = { name: one.name, version: one.version };
  if (!isOfDistribution(one)) {
    const ecosystem = LANGUAGES[one.type]!;
    return [{ ecosystem, name: packageKey(ecosystem, one.name), version: one.version }];
  }
  const ecosystems = distributionsOf(osRelease);
  const isByBinary = ecosystems.some((ecosystem) => BY_BINARY.has(familyOf(ecosystem)));
  // Records of rpm's distributions name what is installed or what it was built from; others the latter alone.
  const names = one.source === undefined ? [own] : isByBinary ? [own, one.source] : [one.source];
  return ecosystems.flatMap((ecosystem) => names.map((named) => ({ ecosystem, ...named })));
}

/** @returns undefined for an ecosystem whose versions nobody here can put in order */
export function orderOf(ecosystem: string): VersionOrder | undefined {
  return ORDERS[familyOf(ecosystem)];
}

/** The name under which records of an ecosystem are kept: Red Hat's are many for one release, each for a repository of it. */
export function ecosystemKey(ecosystem: string): string {
  const [, release] = /^Red Hat:enterprise_linux:(\d+)/.exec(ecosystem) ?? [];
  return release === undefined ? ecosystem : `Red Hat:enterprise_linux:${release}`;
}

/** Python's names are the same in many spellings (packaging.python.org, "Names and normalization"). */
export function packageKey(ecosystem: string, name: string): string {
  return ecosystem === 'PyPI' ? name.toLowerCase().replace(/[-_.]+/g, '-') : name;
}

/** The ecosystems of a distribution's release. */
export function distributionsOf(osRelease: OsRelease | undefined): string[] {
  if (osRelease === undefined) return [];
  const { id, versionId = '' } = osRelease;
  const [major = '', minor = ''] = versionId.split('.');
  const named = Object.hasOwn(DISTRIBUTIONS, id) ? DISTRIBUTIONS[id]!(versionId, major, minor) : undefined;
  return named ? [named].flat() : [];
}

type Named = (versionId: string, major: string, minor: string) => string | string[] | undefined;

const DISTRIBUTIONS: Readonly<Record<string, Named>> = {
  debian: (_, major) => major && `Debian:${major}`,
  ubuntu: (version, major, minor) =>
    version && (isLongTerm(major, minor) ? `Ubuntu:${version}:LTS` : `Ubuntu:${version}`),
  alpine: (_, major, minor) => minor && `Alpine:v${major}.${/^\d+/.exec(minor)?.[0]}`,
  wolfi: () => 'Wolfi',
  chainguard: () => 'Chainguard',
  rhel: (_, major) => major && `Red Hat:enterprise_linux:${major}`,
  rocky: (_, major) => major && `Rocky Linux:${major}`,
  almalinux: (_, major) => major && `AlmaLinux:${major}`,
  'opensuse-leap': (version) => version && `openSUSE:Leap ${version}`,
  'opensuse-tumbleweed': () => 'openSUSE:Tumbleweed',
  sles: (_, major, minor) => major && enterpriseServer(minor ? `${major} SP${minor}` : major),
  azurelinux: (_, major) => major && `Azure Linux:${major}`,
  mariner: (_, major) => major && `Azure Linux:${major}`,
  photon: (version) => version && `Photon OS:${version}`,
  mageia: (_, major) => major && `Mageia:${major}`,
};

/** Every second April's. */
function isLongTerm(major: string, minor: string): boolean {
  return minor === '04' && Number(major) % 2 === 0;
}

function enterpriseServer(release: string): string[] {
  return [`SUSE:Linux Enterprise Server ${release}`, `SUSE:Linux Enterprise Module for Basesystem ${release}`];
}

const LANGUAGES: Readonly<Record<string, string>> = { npm: 'npm', python: 'PyPI', go: 'Go', java: 'Maven' };

const BY_BINARY = new Set([
  'Red Hat',
  'Rocky Linux',
  'AlmaLinux',
  'SUSE',
  'openSUSE',
  'Azure Linux',
  'Photon OS',
  'Mageia',
  'Wolfi',
  'Chainguard',
]);

function familyOf(ecosystem: string): string {
  const colon = ecosystem.indexOf(':');
  return colon < 0 ? ecosystem : ecosystem.slice(0, colon);
}

const ORDERS: Readonly<Record<string, VersionOrder>> = Object.assign(Object.create(null), {
  Debian: dpkgOrder,
  Ubuntu: dpkgOrder,
  Alpine: apkOrder,
  Wolfi: apkOrder,
  Chainguard: apkOrder,
  'Red Hat': rpmOrder,
  'Rocky Linux': rpmOrder,
  AlmaLinux: rpmOrder,
  SUSE: rpmOrder,
  openSUSE: rpmOrder,
  'Azure Linux': rpmOrder,
  'Photon OS': rpmOrder,
  Mageia: rpmOrder,
  npm: semverOrder,
  Go: semverOrder,
  PyPI: pythonOrder,
  Maven: mavenOrder,
});
