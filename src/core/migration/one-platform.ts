import { type ImageSource, TransferError } from '../transfer/transfer.ts';
import { ManifestError, parseManifest } from '../values/manifest.ts';
import type { MigrationSource } from './places.ts';

/** `linux/arm64`, or `linux/arm/v7`. */
export type Platform = string;

const DEPTH_MAX = 8;

/** A source for what holds images alone: in place of an index it gives the image for a platform, and nothing that refers to it. */
export function ofOnePlatform(source: MigrationSource, platform: Platform): MigrationSource {
  return {
    ...source,
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
    repository(repositoryName) {
      const inner = source.repository(repositoryName);
      return {
        ...inner,
        manifest: (reference, options) => find(inner, reference, platform, options, 0),
        async *referrers() {},
      };
    },
  };
}

async function find(
  source: ImageSource,
  reference: string,
  platform: Platform,
  options: Parameters<ImageSource['manifest']>[1],
  depth: number,
): ReturnType<ImageSource['manifest']> {
  const manifest = await source.manifest(reference, options);
  if (!manifest || !isIndex(manifest.content, manifest.mediaType)) return manifest;
  const entry =
    depth < DEPTH_MAX ? entriesOf(manifest.content).find(({ platform: own }) => describe(own) === platform) : undefined;
  if (entry) return find(source, entry.digest, platform, options, depth + 1);
  const has = entriesOf(manifest.content).flatMap(({ platform: own }) => describe(own) ?? []);
  throw new TransferError(
    'missing',
    `The index ${reference} has no image for ${platform}, but for ${has.join(', ') || 'none'}`,
  );
}

function isIndex(content: Uint8Array, mediaType: string): boolean {
  try {
    return parseManifest(content, mediaType).children.length > 0;
  } catch (error) {
    if (error instanceof ManifestError) return false;
    throw error;
  }
}

interface PlatformObject {
  readonly os?: unknown;
  readonly architecture?: unknown;
  readonly variant?: unknown;
}

function entriesOf(content: Uint8Array): { readonly digest: string; readonly platform?: PlatformObject | null }[] {
  return (JSON.parse(new TextDecoder().decode(content)) as { manifests: [] }).manifests;
}

/** The variant counts where it tells images of one architecture apart. */
function describe(platform: PlatformObject | null | undefined): string | undefined {
  const { os, architecture, variant } = platform ?? {};
  if (typeof os !== 'string' || typeof architecture !== 'string' || os === 'unknown') return undefined;
  return architecture === 'arm' && typeof variant === 'string'
    ? `${os}/${architecture}/${variant}`
    : `${os}/${architecture}`;
}
