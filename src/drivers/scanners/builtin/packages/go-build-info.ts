import type { InstalledPackage } from '../../../../core/scanning/package.ts';
import type { EntryContent } from '../layers/entry-content.ts';
import { writableSegments } from './elf.ts';

/**
 * The modules that a program made with Go says it was built of (Go, `debug/buildinfo`): in a writable segment, at a multiple
 * of sixteen bytes. Those of Go before 1.18 only point to where it stands, and are not read.
 *
 * @param content of an ELF file, of which nothing was read
 * @returns undefined when it is not made with Go
 */
export async function readGoBuildInfo(content: EntryContent): Promise<InstalledPackage[] | 'unreadable' | undefined> {
  const head = await content.read(HEAD_BYTES);
  let at = head.length;
  for (const segment of writableSegments(head)) {
    // Nothing is read twice, and what the head has of a segment is a corner that no linker makes.
    if (segment.offset < at) continue;
    await content.skip(segment.offset - at);
    const bytes = Math.min(segment.bytes, SEGMENT_BYTES_MAX, content.left);
    const found = await search(content, bytes, segment.offset);
    if (found !== undefined) return parseBuildInfo(found);
    at = segment.offset + bytes;
  }
  return undefined;
}

const HEAD_BYTES = 4096;
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
const STEP_BYTES = 256 * 1024;
const INFO_BYTES_MAX = 4 * 1024 * 1024;

const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
const ALIGNMENT = 16;
const HEADER_BYTES = 32;
const STRINGS_INLINE = 2;

/** @returns what follows from the magic on */
async function search(content: EntryContent, bytes: number, offset: number): Promise<Buffer | undefined> {
  let window: Buffer = Buffer.alloc(0);
  let start = offset;
  for (let left = bytes; left > 0; ) {
    const next = await content.read(Math.min(STEP_BYTES, left));
    if (next.length === 0) return undefined;
    left -= next.length;
    window = window.length === 0 ? next : Buffer.concat([window, next]);
    for (let at = window.indexOf(MAGIC); at >= 0; at = window.indexOf(MAGIC, at + 1)) {
      if ((start + at) % ALIGNMENT !== 0) continue;
      return Buffer.concat([window.subarray(at), await content.read(INFO_BYTES_MAX)]);
    }
    const kept = Math.min(MAGIC.length - 1, window.length);
    start += window.length - kept;
    window = window.subarray(window.length - kept);
  }
  return undefined;
}

function parseBuildInfo(info: Buffer): InstalledPackage[] | 'unreadable' {
  if (info.length < HEADER_BYTES || (info[15]! & STRINGS_INLINE) === 0) return 'unreadable';
  const version = textAt(info, HEADER_BYTES);
  const modules = version && textAt(info, version.end);
  if (!version || !modules) return 'unreadable';
  return [...standardLibrary(version.text), ...parseModules(modules.text)];
}

/** A text with its length in front, in base 128. */
function textAt(info: Buffer, from: number): { text: string; end: number } | undefined {
  let length = 0;
  let at = from;
  for (let shift = 0; ; shift += 7, at += 1) {
    if (at >= info.length || shift > 28) return undefined;
    length += (info[at]! & 0x7f) * 2 ** shift;
    if (info[at]! < 0x80) break;
  }
  const end = at + 1 + length;
  return end > info.length ? undefined : { text: info.toString('utf8', at + 1, end), end };
}

/** `go1.22rc1 X:experiment` is 1.22-rc1 to records of Go's vulnerabilities. */
function standardLibrary(goVersion: string): InstalledPackage[] {
  const [, numbers, prerelease] = /^go(\d+(?:\.\d+){1,2})((?:rc|beta)\d+)?/.exec(goVersion) ?? [];
  if (numbers === undefined) return [];
  return [{ type: 'go', name: 'stdlib', version: prerelease === undefined ? numbers : `${numbers}-${prerelease}` }];
}

/** Lines of `mod` and `dep` with path, version and sum; `=>` puts another in the place of the one before. */
function parseModules(text: string): InstalledPackage[] {
  const modules: InstalledPackage[] = [];
  for (const line of text.split('\n')) {
    const [key, name = '', version = ''] = line.split('\t');
    if (key === '=>') modules.pop();
    if (key === 'mod' || key === 'dep' || key === '=>') modules.push({ type: 'go', name, version });
  }
  // A program's own module has no version where it was built from its folder; a replacement may be a folder.
  return modules.filter(({ name, version }) => name !== '' && /^v\d/.test(version));
}
