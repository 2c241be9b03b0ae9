import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VulnerabilityData } from '../../../core/scanning/scanner.ts';
import { failed } from './run-trivy.ts';

const ANSWER_SECONDS = 10;

/** The file that Trivy writes beside its database whenever it has fetched another. */
export function metadataFile(cacheFolder: string): string {
  return join(cacheFolder, 'db', 'metadata.json');
}

/**
 * @returns undefined while there is no database
 * @throws ScanError when what is there cannot be read
 */
export async function dataOfFolder(cacheFolder: string): Promise<VulnerabilityData | undefined> {
  const file = metadataFile(cacheFolder);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw failed(`${file} cannot be read: ${error.message}`, error);
  });
  return text === undefined ? undefined : dataOf(parse(text, file), file);
}

/**
 * @returns for a server that does not say how old its data are, now: it sees to their being new itself
 * @throws ScanError when it does not answer
 */
export async function dataOfServer(server: string): Promise<VulnerabilityData> {
  const url = `${server.replace(/\/+$/, '')}/version`;
  const unreachable = (error: Error) => {
    throw failed(
      `The Trivy server at ${server} cannot be reached: ${(error.cause as Error | undefined)?.message ?? error.message}`,
    );
  };
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_SECONDS * 1000) }).catch(unreachable);
  const text = await response.text().catch(unreachable);
  if (response.status === 404) return { updatedAt: new Date(), revision: 0, fingerprint: 'trivy-server' };
  if (!response.ok) throw failed(`The Trivy server at ${server} answers ${response.status}`);
  return dataOf(parse(text, url).VulnerabilityDB as Metadata | undefined, url);
}

interface Metadata {
  readonly UpdatedAt?: string;
  readonly VulnerabilityDB?: unknown;
}

function parse(text: string, source: string): Metadata {
  try {
    return (JSON.parse(text) as Metadata | null) ?? {};
  } catch (error) {
    throw failed(`${source} is no JSON`, error);
  }
}

function dataOf(metadata: Metadata | undefined, source: string): VulnerabilityData {
  const updatedAt = new Date(metadata?.UpdatedAt ?? Number.NaN);
  const revision = updatedAt.getTime();
  if (Number.isNaN(revision)) throw failed(`${source} does not say how old the database is`);
  return { updatedAt, revision, fingerprint: `trivy ${updatedAt.toISOString()}` };
}
