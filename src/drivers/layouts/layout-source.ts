import type { MigrationSource } from '../../core/migration/places.ts';
import { type ImageSource, TransferError, type TransferManifest } from '../../core/transfer/transfer.ts';
import { parseDigest } from '../../core/values/digest.ts';
import type { ImageName } from './image-name.ts';

export interface LayoutImage extends ImageName {
  manifest(): Promise<TransferManifest>;
}

/** Contents by digest, whatever repository they are said to be of. */
export type LayoutContents = ImageSource;

/**
 * Named images of a file or folder as repositories.
 *
 * @param repositoryName of images that do not say theirs
 * @throws TransferError when it is not given and images need it
 */
export function createLayoutSource(
  name: string,
  named: readonly LayoutImage[],
  contents: LayoutContents,
  repositoryName: string | undefined,
): Omit<MigrationSource, typeof Symbol.asyncDispose> {
  const repositories = byRepository(name, named, repositoryName);
  return {
    name,
    async *repositories() {
      yield* repositories.keys();
    },
    async *images(wanted) {
      const images = repositories.get(wanted) ?? [];
      for (const { tag } of images) if (tag !== undefined) yield { reference: tag, tag };
      for (const { tag, manifest } of images) if (tag === undefined) yield { reference: (await manifest()).digest };
    },
    repository: (wanted) => ({
      ...contents,
      async manifest(reference, options) {
        if (parseDigest(reference)) return contents.manifest(reference, options);
        return repositories
          .get(wanted)
          ?.find(({ tag }) => tag === reference)
          ?.manifest();
      },
    }),
  };
}

function byRepository(
  name: string,
  named: readonly LayoutImage[],
  given: string | undefined,
): Map<string, LayoutImage[]> {
  const told = new Set(named.flatMap((image) => image.repositoryName ?? []));
  const [only] = told.size === 1 ? told : [];
  const fallback = given ?? only;
  const lost = named.find(
    (image) => image.repositoryName === undefined && (image.tag !== undefined || told.size === 0),
  );
  if (lost && given === undefined && (lost.tag !== undefined || fallback === undefined)) {
    const image = lost.tag === undefined ? 'its image' : `its image ${lost.tag}`;
    throw new TransferError('invalid', `${name} does not say the repository of ${image}; --repository NAME does`);
  }
  // What has no name at all among images of several repositories comes with what it refers to, if with anything.
  return Map.groupBy(
    named.filter((image) => (image.repositoryName ?? fallback) !== undefined),
    (image) => image.repositoryName ?? fallback ?? '',
  );
}
