import type { InventoryFile } from '../../../../core/scanning/inventory.ts';
import { OS_RELEASE_PATHS } from '../../../../core/scanning/inventory.ts';
import { parseOsRelease } from '../../../../core/scanning/os-release.ts';
import type { InstalledPackage } from '../../../../core/scanning/package.ts';
import type { EntryContent } from '../layers/entry-content.ts';
import { bufferSource, fileSource } from '../zip/byte-source.ts';
import { ZipError } from '../zip/read-zip.ts';
import { parseApkInstalled } from './apk-installed.ts';
import { parseDpkgStatus } from './dpkg-status.ts';
import { JAR, readJar } from './jar.ts';
import { parseNodePackage } from './node-package.ts';
import { parsePythonMetadata } from './python-metadata.ts';
import { readRpmDatabase, withoutJournal } from './rpm-database.ts';
import { spill } from './spill.ts';

/** What a file says, apart from its path. */
export type FileFacts = Omit<InventoryFile, 'path'>;

/** @param temporaryFolder where what must be read from a file may lie for the moment */
export type ReadFile = (content: EntryContent, temporaryFolder: string) => Promise<FileFacts>;

const STATUS_BYTES_MAX = 128 * 1024 * 1024;
const MANIFEST_BYTES_MAX = 8 * 1024 * 1024;
/** The headers come first, and then a description of any length. */
const METADATA_BYTES_READ = 256 * 1024;
const JAR_BYTES_IN_MEMORY = 16 * 1024 * 1024;

/** How to read a file that may say something of packages; undefined for all others. */
export function readerFor(path: string): ReadFile | undefined {
  const exact = EXACT.get(path);
  if (exact !== undefined) return exact;
  if (path.endsWith('/package.json'))
    return NODE_PACKAGE.test(path) ? wholeText(MANIFEST_BYTES_MAX, parseNodePackage) : undefined;
  if (PYTHON_METADATA.test(path)) return pythonMetadata;
  if (DPKG_STATUS_D.test(path)) return wholeText(STATUS_BYTES_MAX, parseDpkgStatus);
  if (JAR.test(path)) return jar;
  return undefined;
}

const NODE_PACKAGE = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/;
const PYTHON_METADATA = /(?:\.dist-info\/METADATA|\.egg-info\/PKG-INFO|\.egg-info|\/EGG-INFO\/PKG-INFO)$/;
const DPKG_STATUS_D = /^var\/lib\/dpkg\/status\.d\/[^/]+(?<!\.md5sums)$/;

const EXACT: ReadonlyMap<string, ReadFile> = new Map<string, ReadFile>([
  ['var/lib/dpkg/status', wholeText(STATUS_BYTES_MAX, parseDpkgStatus)],
  // Alpine has moved it in 3.22.
  ['lib/apk/db/installed', wholeText(STATUS_BYTES_MAX, parseApkInstalled)],
  ['usr/lib/apk/db/installed', wholeText(STATUS_BYTES_MAX, parseApkInstalled)],
  ...['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm'].flatMap((folder): [string, ReadFile][] => [
    [`${folder}/rpmdb.sqlite`, rpmDatabase],
    [`${folder}/Packages`, oldRpmDatabase('Berkeley DB')],
    [`${folder}/Packages.db`, oldRpmDatabase('ndb')],
  ]),
  ...OS_RELEASE_PATHS.map((path): [string, ReadFile] => [path, osRelease]),
]);

function wholeText(bytesMax: number, parse: (text: string) => InstalledPackage[]): ReadFile {
  return async (content) => {
    if (content.bytes > bytesMax) return unread(`it has ${content.bytes} bytes, more than ${bytesMax}`);
    return { packages: parse((await content.read(content.bytes)).toString('utf8')) };
  };
}

async function pythonMetadata(content: EntryContent): Promise<FileFacts> {
  return { packages: parsePythonMetadata((await content.read(METADATA_BYTES_READ)).toString('utf8')) };
}

async function osRelease(content: EntryContent): Promise<FileFacts> {
  const found = parseOsRelease((await content.read(METADATA_BYTES_READ)).toString('utf8'));
  return { packages: [], ...(found && { osRelease: found }) };
}

async function rpmDatabase(content: EntryContent, temporaryFolder: string): Promise<FileFacts> {
  await using file = await spill(content, temporaryFolder, withoutJournal);
  try {
    return { packages: readRpmDatabase(file.path) };
  } catch (error) {
    return unread(`rpm's database cannot be read: ${(error as Error).message}`);
  }
}

/** No package found would be no package installed: it is said instead that they are not known. */
function oldRpmDatabase(kind: string): ReadFile {
  return async () => unread(`rpm's database is one of ${kind}, and only those of SQLite are read (rpm 4.16 and later)`);
}

async function jar(content: EntryContent, temporaryFolder: string): Promise<FileFacts> {
  try {
    if (content.bytes <= JAR_BYTES_IN_MEMORY) {
      return { packages: await readJar(bufferSource(await content.read(content.bytes))) };
    }
    await using file = await spill(content, temporaryFolder);
    return { packages: await readJar(fileSource(file.handle, content.bytes)) };
  } catch (error) {
    if (error instanceof ZipError) return unread(`the archive cannot be read: ${error.message}`);
    throw error;
  }
}

function unread(reason: string): FileFacts {
  return { packages: [], unread: reason };
}
