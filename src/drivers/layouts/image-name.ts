import { isTag } from '../../core/values/image-reference.ts';

/** What a layout calls an image: all of it, or a tag alone. */
export interface ImageName {
  /** Without the host of a registry. */
  readonly repositoryName?: string;
  readonly tag?: string;
}

/** Reads `[HOST/][REPOSITORY:]TAG`, `[HOST/]REPOSITORY[:TAG][@DIGEST]`; a word alone is a tag. */
export function parseImageName(text: string): ImageName {
  if (isTag(text)) return { tag: text };
  const [name = ''] = text.split('@');
  const slash = name.lastIndexOf('/');
  const colon = name.indexOf(':', slash + 1);
  const tag = colon < 0 ? undefined : name.slice(colon + 1);
  const repositoryName = withoutHost(colon < 0 ? name : name.slice(0, colon));
  return {
    ...(repositoryName !== '' && { repositoryName }),
    ...(tag !== undefined && { tag }),
  };
}

/** A first part with a dot or a colon in it is a host, as docker reads it. */
function withoutHost(name: string): string {
  const [first = '', ...rest] = name.split('/');
  const isHost = rest.length > 0 && (first === 'localhost' || /[.:]/.test(first));
  return isHost ? rest.join('/') : name;
}
