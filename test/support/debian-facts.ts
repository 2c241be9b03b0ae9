/** Facts of the changelogs of Debian 12: which version mends what, and what the changelog calls its urgency. */
const FIXES: Readonly<Record<string, readonly (readonly [cve: string, fixed: string, urgency: string])[]>> = {
  curl: [
    ['CVE-2025-10148', '7.88.1-10+deb12u15', 'medium'],
    ['CVE-2024-9681', '7.88.1-10+deb12u9', 'medium'],
    ['CVE-2024-8096', '7.88.1-10+deb12u8', 'medium'],
    ['CVE-2023-46218', '7.88.1-10+deb12u5', 'high'],
    ['CVE-2023-38545', '7.88.1-10+deb12u4', 'high'],
  ],
  zlib: [['CVE-2022-37434', '1:1.2.11.dfsg-4.1', 'medium']],
  glibc: [['CVE-2026-0861', '2.36-9+deb12u14', 'low']],
};

export interface OsvDocument {
  readonly id: string;
  readonly modified: string;
  readonly [key: string]: unknown;
}

/** As OSV publishes them. */
export function debianRecords(modified = '2026-01-02T03:04:05Z'): OsvDocument[] {
  return Object.entries(FIXES).flatMap(([name, fixes]) =>
    fixes.map(([cve, fixed, urgency]) => ({
      id: `DEBIAN-${cve}`,
      modified,
      upstream: [cve],
      details: `What is wrong with ${name}`,
      references: [{ type: 'ADVISORY', url: `https://tracker.example/${cve}` }],
      affected: [
        {
          package: { ecosystem: 'Debian:12', name },
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
          ecosystem_specific: { urgency },
        },
      ],
    })),
  );
}

/** Packages of Debian as its images have them; the record of libcurl4 names curl, which it is built from. */
export const DEBIAN_STATUS = `Package: libcurl4
Status: install ok installed
Architecture: amd64
Source: curl
Version: 7.88.1-10+deb12u7

Package: zlib1g
Status: install ok installed
Architecture: amd64
Source: zlib
Version: 1:1.2.13.dfsg-1

Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc
Version: 2.36-9+deb12u13

`;
