export type ResourceKind = 'version' | 'catalog' | 'tags' | 'manifest' | 'referrers' | 'blob' | 'uploads' | 'upload';

export interface PathMatch {
  readonly resource: ResourceKind;
  /** As written, not checked yet; undefined where the path has no place for one. */
  readonly repositoryName: string | undefined;
  /** What follows the resource's word, decoded: a reference, digest or upload id. */
  readonly parameter: string;
}

/**
 * Takes a path apart from its end, since repository names hold slashes and may hold the very words that name resources:
 * `/v2/a/tags/manifests/latest` is the manifest `latest` of the repository `a/tags`.
 *
 * @param path without the query, as the client wrote it
 */
export function matchPath(path: string): PathMatch | undefined {
  if (!path.startsWith(PREFIX)) return path === '/v2' ? { ...VERSION } : undefined;
  if (path.length === PREFIX.length) return VERSION;
  if (path === '/v2/_catalog') return CATALOG;
  const last = path.lastIndexOf('/');
  const wordStart = path.lastIndexOf('/', last - 1);
  // The name ends where the word begins; it is empty in `/v2//tags/list` and in `/v2/tags/list`.
  if (wordStart < PREFIX.length - 1 || last < PREFIX.length) return undefined;
  const tail = path.slice(last + 1);
  switch (path.slice(wordStart + 1, last)) {
    case 'manifests':
      return match('manifest', path, wordStart, tail);
    case 'blobs':
      // Some clients leave out the slash that ends the specification's path.
      return tail === 'uploads' ? match('uploads', path, wordStart, '') : match('blob', path, wordStart, tail);
    case 'uploads':
      return matchUpload(path, wordStart, tail);
    case 'tags':
      return tail === 'list' ? match('tags', path, wordStart, '') : undefined;
    case 'referrers':
      return match('referrers', path, wordStart, tail);
    default:
      return undefined;
  }
}

const PREFIX = '/v2/';
const VERSION: PathMatch = { resource: 'version', repositoryName: undefined, parameter: '' };
const CATALOG: PathMatch = { resource: 'catalog', repositoryName: undefined, parameter: '' };
const BLOBS = '/blobs';

function matchUpload(path: string, wordStart: number, tail: string): PathMatch | undefined {
  const blobsStart = wordStart - BLOBS.length;
  if (blobsStart < PREFIX.length - 1 || !path.startsWith(BLOBS, blobsStart)) return undefined;
  return match(tail === '' ? 'uploads' : 'upload', path, blobsStart, tail);
}

function match(resource: ResourceKind, path: string, nameEnd: number, tail: string): PathMatch | undefined {
  const parameter = decoded(tail);
  if (parameter === undefined) return undefined;
  return { resource, repositoryName: path.slice(PREFIX.length, nameEnd), parameter };
}

/** Nothing has a name with the character U+0000 in it, and not every store can look for one. */
export const ENCODED_NUL = '%00';

function decoded(text: string): string | undefined {
  if (!text.includes('%')) return text;
  if (text.includes(ENCODED_NUL)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
