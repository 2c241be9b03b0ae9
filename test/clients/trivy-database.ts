import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BoltBucket, boltFile } from './trivy-bolt-file.ts';

export interface TrivyFacts {
  /** By source of advisories, such as `debian 12`; then by package; then by weakness. */
  readonly advisories: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, object>>>>>>;
  /** What is said of a weakness wherever it is. */
  readonly vulnerabilities: Readonly<Record<string, object>>;
  readonly updatedAt: Date;
}

/** A database of Trivy's, in the folder that is given to it as `--cache-dir` (trivy-db, schema version 2). */
export async function writeTrivyDatabase(cacheFolder: string, facts: TrivyFacts): Promise<void> {
  const { advisories, vulnerabilities, updatedAt } = facts;
  const folder = join(cacheFolder, 'db');
  await mkdir(folder, { recursive: true });
  const buckets: BoltBucket = {
    ...mapValues(advisories, (packages) => mapValues(packages, (weaknesses) => mapValues(weaknesses, json))),
    'data-source': mapValues(advisories, (_, name) =>
      json({ ID: name.replace(/ .*$/, ''), Name: name, URL: 'https://advisories.example' }),
    ),
    vulnerability: mapValues(vulnerabilities, json),
  };
  await writeFile(join(folder, 'trivy.db'), boltFile(buckets));
  const at = updatedAt.toISOString();
  const metadata = { Version: 2, NextUpdate: '2099-01-01T00:00:00Z', UpdatedAt: at, DownloadedAt: at };
  await writeFile(join(folder, 'metadata.json'), JSON.stringify(metadata));
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From, key: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
