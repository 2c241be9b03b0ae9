/** Facts of Debian's changelogs: the version that mends each. */
const debianFixes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  curl: {
    'CVE-2023-38545': '7.88.1-10+deb12u4',
    'CVE-2024-8096': '7.88.1-10+deb12u8',
    'CVE-2025-10148': '7.88.1-10+deb12u15',
    'CVE-2022-43551': '7.86.0-3',
  },
  zlib: { 'CVE-2022-37434': '1:1.2.11.dfsg-4.1' },
  glibc: { 'CVE-2026-0861': '2.36-9+deb12u14' },
};

export interface SomeRecord {
  readonly id: string;
  readonly modified: string;
  readonly [key: string]: unknown;
}

/** As OSV publishes them for Debian. */
export function debianRecords(): SomeRecord[] {
  return Object.entries(debianFixes).flatMap(([name, fixes]) =>
    Object.entries(fixes).map(([cve, fixed]) => ({
      id: `DEBIAN-${cve}`,
      modified: '2026-01-02T03:04:05Z',
      upstream: [cve],
      details: `What is wrong with ${name}`,
      references: [{ type: 'ADVISORY', url: `https://tracker.example/${cve}` }],
      affected: [
        {
          package: { ecosystem: 'Debian:12', name },
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
          versions: ['0.1'],
        },
      ],
    })),
  );
}

/** A record of one range of one package. */
export function someRecord(id: string, ecosystem: string, name: string, fixed: string, more: object = {}): SomeRecord {
  const ranges = [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }];
  return { id, modified: '2026-01-01T00:00:00Z', affected: [{ package: { ecosystem, name }, ranges }], ...more };
}
