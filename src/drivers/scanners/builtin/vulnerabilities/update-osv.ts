import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readOsvRecord } from '../../../../core/scanning/osv-record.ts';
import { download } from './download.ts';
import { type ImportReport, importOsv } from './import-osv.ts';
import type { VulnerabilityDatabase } from './vulnerability-database.ts';

export interface UpdateReport extends ImportReport {
  readonly ecosystem: string;
  /** Whether all records were fetched, or those that changed since the last time. */
  readonly isWhole: boolean;
}

/** With more changed records than these, the archive with all of them is sooner there. */
const DELTA_MAX = 2000;
const AT_ONCE = 8;
/** Of one record; those with ten thousand versions have some megabytes. */
const RECORD_BYTES_MAX = 64 * 1024 * 1024;
const ARCHIVE_BYTES_MAX = 16 * 1024 ** 3;
const BROKEN_TOLD = 100;

/**
 * Brings the records of an ecosystem up to date from where they are published as OSV does (google.github.io/osv.dev/data):
 *
 *     BASE/ECOSYSTEM/all.zip           every record
 *     BASE/ECOSYSTEM/modified_id.csv   TIME,ID: what changed when, the newest first
 *     BASE/ECOSYSTEM/ID.json           one record
 *
 * When it is broken off, what was fetched stays, and the next time the rest is.
 *
 * @throws DownloadError
 */
export async function updateOsv(
  database: VulnerabilityDatabase,
  { base, ecosystem }: { readonly base: string; readonly ecosystem: string },
  onProgress: (report: ImportReport) => void = () => {},
): Promise<UpdateReport> {
  const folder = `${base.replace(/\/+$/, '')}/${encodeURIComponent(ecosystem)}`;
  const since = database.syncedUntil(base, ecosystem);
  const changes = await changesSince(folder, since);
  const isWhole = since === undefined || changes.ids.length > DELTA_MAX;
  const report = isWhole
    ? await importArchive(database, `${folder}/all.zip`, onProgress)
    : await importChanged(database, folder, changes.ids, onProgress);
  if (changes.newest !== undefined) database.noteSync(base, ecosystem, changes.newest);
  return { ecosystem, isWhole, ...report };
}

interface Changes {
  readonly ids: readonly string[];
  readonly newest: Date | undefined;
}

/** The list is read no further than to what was known the last time: it has a line for each record. */
async function changesSince(folder: string, since: Date | undefined): Promise<Changes> {
  const ids: string[] = [];
  let newest = since;
  const body = await download(`${folder}/modified_id.csv`, ARCHIVE_BYTES_MAX);
  const lines = createInterface({ input: Readable.from(body), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    const comma = line.indexOf(',');
    const time = new Date(line.slice(0, comma));
    const id = line.slice(comma + 1).trim();
    if (comma < 0 || Number.isNaN(time.getTime()) || id === '') continue;
    // Records of one moment may have been published one after the other.
    if (since !== undefined && time < since) break;
    if (newest === undefined || time > newest) newest = time;
    ids.push(id);
    if (since === undefined || ids.length > DELTA_MAX) break;
  }
  lines.close();
  return { ids, newest };
}

async function importArchive(
  database: VulnerabilityDatabase,
  url: string,
  onProgress: (report: ImportReport) => void,
): Promise<ImportReport> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-vulndb-'));
  try {
    const file = join(folder, 'all.zip');
    await pipeline(Readable.from(await download(url, ARCHIVE_BYTES_MAX)), createWriteStream(file, { mode: 0o600 }));
    const report = await importOsv(database, [file], onProgress);
    return { ...report, broken: report.broken.map((place) => place.replace(file, url)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function importChanged(
  database: VulnerabilityDatabase,
  folder: string,
  ids: readonly string[],
  onProgress: (report: ImportReport) => void,
): Promise<ImportReport> {
  let report: ImportReport = { records: 0, changed: 0, broken: [] };
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const batch = ids.slice(at, at + AT_ONCE);
    const fetched = await Promise.all(batch.map((id) => fetchRecord(`${folder}/${encodeURIComponent(id)}.json`)));
    const records = fetched.filter((record) => record !== undefined);
    const broken = batch.filter((_, place) => fetched[place] === undefined).map((id) => `${folder}/${id}.json`);
    report = {
      records: report.records + records.length,
      changed: report.changed + database.put(records),
      broken: [...report.broken, ...broken].slice(0, BROKEN_TOLD),
    };
    onProgress(report);
  }
  return report;
}

/** @returns undefined for what is no record */
async function fetchRecord(url: string) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await download(url, RECORD_BYTES_MAX)) chunks.push(chunk);
  try {
    return readOsvRecord(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
