import type { CoreDependencies } from '../dependencies.ts';
import type { Image } from '../images/image-records.ts';
import { readDocument } from '../layers/read-document.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { parseManifest } from '../values/manifest.ts';

/** What an image says of itself (OCI image configuration, "Properties"). */
export interface ImageFacts {
  readonly architecture?: string;
  readonly author?: string;
}

/** From the config of an image that can be scanned; nothing where that cannot be read, as under a key that is disabled. */
export async function imageFacts(
  dependencies: CoreDependencies,
  repository: Repository,
  { digest }: Pick<Image, 'digest'>,
): Promise<ImageFacts> {
  const stored = await dependencies.metadata.read.images.manifest(repository.id, digest);
  const [config] = stored ? parseManifest(stored.bytes, stored.mediaType).blobs : [];
  if (!config) return {};
  try {
    const bytes = await readDocument(dependencies, repository, config);
    const { architecture, author } = JSON.parse(String(bytes ?? '{}')) ?? {};
    return { ...told({ architecture }), ...told({ author }) };
  } catch {
    // Findings are told without it.
    return {};
  }
}

/** Whoever pushes writes configs: what is no text there is not told. */
function told<Name extends string>(named: Record<Name, unknown>): { [Key in Name]?: string } {
  const texts = Object.entries(named).filter(([, value]) => typeof value === 'string' && value !== '');
  return Object.fromEntries(texts) as { [Key in Name]?: string };
}
