import { DatabaseSync } from 'node:sqlite';
import type { InstalledPackage } from '../../../../core/scanning/package.ts';
import { parseRpmHeader } from './rpm-header.ts';

const BLOB_BYTES_MAX = 16 * 1024 * 1024;

/**
 * What rpm has installed: its database as rpm keeps it since 4.16, a table of headers.
 *
 * @param file a copy that is ours alone; see `withoutJournal`
 * @throws when it is no such database
 */
export function readRpmDatabase(file: string): InstalledPackage[] {
  const database = new DatabaseSync(file, { readOnly: true, enableForeignKeyConstraints: false });
  try {
    // A layer may hold any database: views and tables that compute would run somebody else's program.
    database.exec('pragma trusted_schema = off; pragma mmap_size = 0; pragma cache_size = -4096');
    const table = database.prepare("select sql from sqlite_schema where type = 'table' and name = 'Packages'").get();
    if (!PLAIN_TABLE.test(String(table?.sql ?? ''))) throw new Error('There is no table of packages');
    const rows = database.prepare('select blob from Packages where length(blob) <= ?').iterate(BLOB_BYTES_MAX);
    const packages: InstalledPackage[] = [];
    for (const { blob } of rows) {
      const found = blob instanceof Uint8Array ? parseRpmHeader(blob) : undefined;
      if (found) packages.push(found);
    }
    return packages;
  } finally {
    database.close();
  }
}

const PLAIN_TABLE = /^create\s+table\s+['"]?Packages['"]?\s*\(\s*hnum\s+integer[a-z\s]*,\s*blob\s+blob[a-z\s]*\)\s*$/i;

/**
 * The first bytes of a database, changed to say that it has no write-ahead log: the log was left behind when the layer was
 * made, and without it SQLite would not open the file (SQLite file format, 1.3.3: bytes 18 and 19).
 */
export function withoutJournal(head: Buffer): Buffer {
  const changed = Buffer.from(head);
  if (changed.length >= 20) changed.fill(1, 18, 20);
  return changed;
}
