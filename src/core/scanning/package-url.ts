import type { OsRelease } from './os-release.ts';
import type { InstalledPackage } from './package.ts';

/** The package URL of a package (package-url/purl-spec, "PURL types"). */
export function packageUrl(one: InstalledPackage, osRelease: OsRelease | undefined): string {
  const { type, name, version, architecture } = one;
  switch (type) {
    case 'dpkg':
    case 'apk':
    case 'rpm':
      return ofDistribution(one, osRelease);
    case 'npm':
      return `pkg:npm/${pathOf(name)}@${encode(version)}`;
    case 'python':
      return `pkg:pypi/${encode(name.toLowerCase().replaceAll('_', '-'))}@${encode(version)}`;
    case 'go':
      return `pkg:golang/${pathOf(name)}@${encode(version)}`;
    case 'java':
      return `pkg:maven/${pathOf(name.replace(':', '/'))}@${encode(version)}${qualifiers({ arch: architecture })}`;
  }
}

/** The epoch of an rpm is a qualifier. */
function ofDistribution({ type, name, version, architecture }: InstalledPackage, osRelease: OsRelease | undefined) {
  const { id = 'unknown', versionId } = osRelease ?? {};
  const [, epoch, bare = version] = (type === 'rpm' && /^(\d+):(.*)$/.exec(version)) || [];
  const distro = versionId === undefined ? id : `${id}-${versionId}`;
  const told = { arch: architecture, distro, ...(epoch !== undefined && { epoch }) };
  const kind = type === 'dpkg' ? 'deb' : type;
  return `pkg:${kind}/${encode(id)}/${encode(name)}@${encode(bare)}${qualifiers(told)}`;
}

/** In the order of their names. */
function qualifiers(given: Readonly<Record<string, string | undefined>>): string {
  const parts = Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : `${key}=${encode(value)}`));
  return parts.length === 0 ? '' : `?${parts.sort().join('&')}`;
}

function pathOf(name: string): string {
  return name.split('/').map(encode).join('/');
}

/** Colons stay, and what encodeURIComponent leaves and the specification does not. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%3A', ':')
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
