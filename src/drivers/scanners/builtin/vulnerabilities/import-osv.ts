import { createReadStream } from 'node:fs';
import { open, opendir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type OsvRecord, readOsvRecord } from '../../../../core/scanning/osv-record.ts';
import { fileSource } from '../zip/byte-source.ts';
import { readZipEntry, ZipError, zipEntries } from '../zip/read-zip.ts';
import type { VulnerabilityDatabase } from './vulnerability-database.ts';

export interface ImportReport {
  /** Records that were read. */
  readonly records: number;
  /** Those that were new, or newer. */
  readonly changed: number;
  /** What is no record of OSV, with the place where it stands; the first hundred. */
  readonly broken: readonly string[];
}

/** As many as one transaction takes: readers wait for none of it, other writers for one. */
const BATCH = 500;
const BROKEN_TOLD = 100;
/** A record of a few kilobytes is usual; that of a package with ten thousand versions has some megabytes. */
const RECORD_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Takes records from files of JSON (a record, or a list of them), lines of JSON, zip archives of such files as OSV publishes
 * for each ecosystem, and folders of all these. What is broken is told, and the rest is taken.
 *
 * @throws when a path cannot be read
 */
export async function importOsv(
  database: VulnerabilityDatabase,
  paths: readonly string[],
  onProgress: (report: ImportReport) => void = () => {},
): Promise<ImportReport> {
  let report: ImportReport = { records: 0, changed: 0, broken: [] };
  let batch: OsvRecord[] = [];
  const flush = () => {
    const changed = database.put(batch);
    report = { ...report, records: report.records + batch.length, changed: report.changed + changed };
    batch = [];
    onProgress(report);
  };
  for (const path of paths) {
    for await (const { place, documents } of documentsOf(path)) {
      const records = documents?.map(readOsvRecord) ?? [undefined];
      batch.push(...records.filter((record) => record !== undefined));
      if (records.includes(undefined) && report.broken.length < BROKEN_TOLD) {
        report = { ...report, broken: [...report.broken, place] };
      }
      if (batch.length >= BATCH) flush();
    }
  }
  flush();
  return report;
}

interface Documents {
  readonly place: string;
  /** Absent when it is no JSON. */
  readonly documents?: readonly unknown[];
}

async function* documentsOf(path: string): AsyncGenerator<Documents> {
  if ((await stat(path)).isDirectory()) {
    for await (const entry of await opendir(path)) {
      const inner = join(path, entry.name);
      if (entry.isDirectory() || (entry.isFile() && KINDS.has(extname(entry.name)))) yield* documentsOf(inner);
    }
    return;
  }
  yield* (KINDS.get(extname(path)) ?? wholeFile)(path);
}

const KINDS: ReadonlyMap<string, (path: string) => AsyncGenerator<Documents>> = new Map([
  ['.json', wholeFile],
  ['.jsonl', linesOfFile],
  ['.ndjson', linesOfFile],
  ['.zip', filesOfZip],
]);

async function* wholeFile(path: string): AsyncGenerator<Documents> {
  yield parse(path, await readFile(path, 'utf8'));
}

async function* linesOfFile(path: string): AsyncGenerator<Documents> {
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (text.trim() !== '') yield parse(`${path}:${line}`, text);
  }
}

async function* filesOfZip(path: string): AsyncGenerator<Documents> {
  await using file = await open(path);
  const source = fileSource(file, (await file.stat()).size);
  for await (const entry of zipEntries(source)) {
    if (!entry.name.endsWith('.json')) continue;
    const place = `${path}:${entry.name}`;
    const bytes = await readZipEntry(source, entry, RECORD_BYTES_MAX).catch((error) => {
      if (error instanceof ZipError) return undefined;
      throw error;
    });
    yield bytes === undefined ? { place } : parse(place, bytes.toString('utf8'));
  }
}

function parse(place: string, text: string): Documents {
  try {
    const value: unknown = JSON.parse(text);
    return { place, documents: Array.isArray(value) ? value : [value] };
  } catch {
    return { place };
  }
}
