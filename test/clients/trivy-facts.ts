import type { LayerFiles } from '../support/scanned-images.ts';

/** Of the changelogs of Debian 12: the version that mends, its urgency, and the numbers of the CVEs that it names. */
export const CHANGELOG_FIXES: Readonly<
  Record<string, readonly (readonly [fixed: string, urgency: string, cves: string])[]>
> = {
  curl: [
    ['7.88.1-10+deb12u15', 'medium', '2025-10148 2025-14524 2025-14819 2026-3783 2026-3784 2026-5773'],
    ['7.88.1-10+deb12u13', 'medium', '2023-27534'],
    ['7.88.1-10+deb12u11', 'medium', '2025-0167'],
    ['7.88.1-10+deb12u10', 'medium', '2024-11053'],
    ['7.88.1-10+deb12u9', 'medium', '2024-9681'],
    ['7.88.1-10+deb12u8', 'medium', '2024-8096'],
    ['7.88.1-10+deb12u7', 'medium', '2024-7264'],
    ['7.88.1-10+deb12u6', 'medium', '2024-2004 2024-2398'],
    ['7.88.1-10+deb12u5', 'high', '2023-46218 2023-46219'],
    ['7.88.1-10+deb12u4', 'high', '2023-38545 2023-38546'],
    ['7.88.1-10+deb12u3', 'medium', '2023-38039'],
    ['7.88.1-10+deb12u1', 'medium', '2023-32001'],
    ['7.88.1-10', 'medium', '2023-28319 2023-28320 2023-28321 2023-28322'],
    ['7.88.1-7', 'medium', '2023-27533 2023-27535 2023-27536 2023-27537 2023-27538'],
  ],
  glibc: [
    ['2.36-9+deb12u14', 'medium', '2026-0861 2026-0915 2025-15281 2026-4437 2026-4438 2026-4046'],
    ['2.36-9+deb12u13', 'medium', '2025-8058'],
    ['2.36-9+deb12u11', 'medium', '2025-4802'],
    ['2.36-9+deb12u10', 'medium', '2025-0395'],
    ['2.36-9+deb12u8', 'medium', '2024-2961 2024-33599 2024-33600 2024-33601 2024-33602'],
    ['2.36-9+deb12u5', 'medium', '2023-4911 2023-6246 2023-6779 2023-6780'],
    ['2.36-9+deb12u2', 'medium', '2023-4527 2023-4806 2023-5156'],
    ['2.36-9+deb12u1', 'medium', '2023-0687'],
    ['2.33-4', 'medium', '2021-3998 2021-3999'],
    ['2.33-3', 'medium', '2022-23218 2022-23219'],
    ['2.32-5', 'medium', '2021-43396'],
    ['2.32-0experimental0', 'medium', '2021-33574'],
    ['2.31-13', 'medium', '2021-35942'],
    ['2.31-10', 'medium', '2021-3326 2021-27645'],
  ],
  openssl: [
    ['3.0.22-1~deb12u2', 'high', '2026-84782 2026-35189 2026-54872 2026-75805 2026-75806 2026-77696'],
    ['3.0.22-1~deb12u1', 'medium', '2026-42767 2026-54874 2026-63072 2026-63074 2026-63076 2026-75803'],
    ['3.0.20-1~deb12u2', 'medium', '2026-7383 2026-9076 2026-34180 2026-34182 2026-42766 2026-42770'],
    ['3.0.19-1~deb12u2', 'medium', '2026-28387 2026-28389 2026-28390 2026-31789 2026-31790 2026-28388'],
    ['3.0.18-1~deb12u2', 'medium', '2025-15467 2025-68160 2025-69418 2025-69419 2025-69420 2025-69421'],
    ['3.0.17-1~deb12u3', 'medium', '2025-9230 2025-9232'],
    ['3.0.16-1~deb12u1', 'medium', '2024-13176'],
    ['3.0.15-1~deb12u1', 'medium', '2024-5535 2024-9143'],
    ['3.0.14-1~deb12u2', 'medium', '2024-6119'],
    ['3.0.14-1~deb12u1', 'medium', '2024-2511 2024-4603 2024-4741'],
    ['3.0.13-1~deb12u1', 'medium', '2023-5678 2023-6129 2023-6237 2024-0727'],
    ['3.0.11-1~deb12u2', 'medium', '2023-5363'],
    ['3.0.10-1~deb12u1', 'medium', '2023-2975 2023-3446 2023-3817'],
    ['3.0.9-1', 'medium', '2023-0464 2023-0465 2023-0466 2022-4304 2023-2650 2023-1255'],
  ],
  zlib: [
    ['1:1.2.11.dfsg-4.1', 'medium', '2022-37434'],
    ['1:1.2.11.dfsg-4', 'medium', '2018-25032'],
  ],
};

/** What Debian 12 had in three of its point releases, of packages that everybody has: binaries by what they are built from. */
const BINARIES: Readonly<Record<string, readonly string[]>> = {
  curl: ['curl', 'libcurl4', 'libcurl3-gnutls'],
  glibc: ['libc6', 'libc-bin', 'locales'],
  openssl: ['openssl', 'libssl3'],
  zlib: ['zlib1g'],
};

const RELEASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '12.1': { curl: '7.88.1-10+deb12u1', glibc: '2.36-9+deb12u1', openssl: '3.0.9-1', zlib: '1:1.2.13.dfsg-1' },
  '12.5': {
    curl: '7.88.1-10+deb12u5',
    glibc: '2.36-9+deb12u4',
    openssl: '3.0.11-1~deb12u2',
    zlib: '1:1.2.13.dfsg-1',
  },
  '12.9': {
    curl: '7.88.1-10+deb12u8',
    glibc: '2.36-9+deb12u9',
    openssl: '3.0.15-1~deb12u1',
    zlib: '1:1.2.13.dfsg-1',
  },
};

export const RELEASE_NAMES: readonly string[] = Object.keys(RELEASES);

/** A release's layer, with an application in JavaScript on it whose lodash is old. */
export function filesOf(release: string): LayerFiles {
  const status = Object.entries(RELEASES[release] ?? {}).flatMap(([source, version]) =>
    (BINARIES[source] ?? []).map(
      (name) =>
        `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\n${
          name === source ? '' : `Source: ${source}\n`
        }Version: ${version}\n`,
    ),
  );
  return {
    'etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n',
    'var/lib/dpkg/status': `${status.join('\n')}\n`,
    'app/node_modules/lodash/package.json': JSON.stringify({ name: 'lodash', version: '4.17.20' }),
  };
}

/** Of lodash before 4.17.21 (GitHub's advisory GHSA-35jh-r3h4-6jhm). */
export const LODASH = { cve: 'CVE-2021-23337', fixed: '4.17.21' };
