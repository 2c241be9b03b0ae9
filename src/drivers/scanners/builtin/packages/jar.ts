import type { InstalledPackage } from '../../../../core/scanning/package.ts';
import { type ByteSource, bufferSource } from '../zip/byte-source.ts';
import { readZipEntry, type ZipEntry, ZipError, zipEntries } from '../zip/read-zip.ts';
import { linesOf } from './debian-fields.ts';

const PROPERTIES_BYTES_MAX = 64 * 1024;
const DIRECTORY_BYTES_MAX = 32 * 1024 * 1024;
/** Of a jar within a jar, which is unpacked in memory. */
const INNER_BYTES_MAX = 64 * 1024 * 1024;
/** An application's archive with its libraries, and an enterprise's with those. */
const DEPTH_MAX = 2;
const INNER_COUNT_MAX = 5_000;

/**
 * The artifacts of Maven that a jar says it holds, in the `pom.properties` that Maven puts there, with those of the jars
 * inside.
 *
 * @throws ZipError when it is no archive that can be read
 */
export async function readJar(source: ByteSource, depth = 0): Promise<InstalledPackage[]> {
  const packages: InstalledPackage[] = [];
  let inner = 0;
  for await (const entry of zipEntries(source, DIRECTORY_BYTES_MAX)) {
    if (POM_PROPERTIES.test(entry.name)) {
      packages.push(...parseProperties((await readZipEntry(source, entry, PROPERTIES_BYTES_MAX)).toString('utf8')));
    } else if (JAR.test(entry.name) && depth < DEPTH_MAX && inner < INNER_COUNT_MAX) {
      inner += 1;
      packages.push(...(await readInner(source, entry, depth)));
    }
  }
  return packages;
}

export const JAR = /\.(?:jar|war|ear|par)$/i;
const POM_PROPERTIES = /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/;

/** What is called a jar within a jar need not be one. */
async function readInner(source: ByteSource, entry: ZipEntry, depth: number): Promise<InstalledPackage[]> {
  try {
    return await readJar(bufferSource(await readZipEntry(source, entry, INNER_BYTES_MAX)), depth + 1);
  } catch (error) {
    if (error instanceof ZipError) return [];
    throw error;
  }
}

function parseProperties(text: string): InstalledPackage[] {
  const values = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [, key, value] = /^\s*(groupId|artifactId|version)\s*[=:]\s*(\S+)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, value);
  }
  const [group, artifact, version] = ['groupId', 'artifactId', 'version'].map((key) => values.get(key));
  return group && artifact && version ? [{ type: 'java', name: `${group}:${artifact}`, version }] : [];
}
