import type { TransferManifest } from '../../core/transfer/transfer.ts';
import { type Digest, parseDigest } from '../../core/values/digest.ts';
import { ManifestError, parseManifest } from '../../core/values/manifest.ts';
import { blobPath, readLayoutManifest } from './layout-blobs.ts';
import type { LayoutFiles } from './layout-files.ts';
import { readLayoutIndex } from './layout-index.ts';

export interface EmbeddedManifest {
  readonly manifest: TransferManifest;
  /** All that it names; every one is there. */
  readonly blobs: readonly Digest[];
}

/** Bounds the work on an archive that lists itself. */
const MANIFESTS_MAX = 1000;

/** Image manifests of a docker archive that is an OCI layout too, by the digests of their configs; docker writes such since version 25. */
export async function readEmbeddedManifests(files: LayoutFiles): Promise<Map<Digest, EmbeddedManifest>> {
  const found = new Map<Digest, EmbeddedManifest>();
  const left: { digest: Digest; mediaType?: string }[] = [...((await readLayoutIndex(files)) ?? [])];
  const seen = new Set<Digest>();
  for (let next = left.shift(); next && seen.size < MANIFESTS_MAX; next = left.shift()) {
    if (seen.has(next.digest)) continue;
    seen.add(next.digest);
    const manifest = await readLayoutManifest(files, next.digest, next.mediaType);
    const parsed = manifest && parse(manifest);
    if (!parsed) continue;
    left.push(...parsed.children);
    const config = configOf(manifest);
    const blobs = parsed.blobs.map(({ digest }) => digest);
    if (config && parsed.foreign.length === 0 && (await areThere(files, blobs))) found.set(config, { manifest, blobs });
  }
  return found;
}

function parse({ content, mediaType }: TransferManifest) {
  try {
    return parseManifest(content, mediaType);
  } catch (error) {
    if (error instanceof ManifestError) return undefined;
    throw error;
  }
}

function configOf({ content }: TransferManifest): Digest | undefined {
  const { config } = JSON.parse(Buffer.from(content).toString()) as { config?: { digest?: string } };
  return parseDigest(config?.digest ?? '');
}

async function areThere(files: LayoutFiles, digests: readonly Digest[]): Promise<boolean> {
  for (const digest of digests) if (!(await files.stat(blobPath(digest)))) return false;
  return true;
}
