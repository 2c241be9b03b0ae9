import { type ImageSource, type ImageTarget, TransferError } from '../transfer/transfer.ts';
import { ManifestError, parseManifest } from '../values/manifest.ts';
import type { MigrationReport } from './migration-report.ts';
import type { MigrationImage } from './places.ts';

/** As `copyImage`. */
const DEPTH_MAX = 8;

interface Looking {
  readonly report: MigrationReport;
  /** What has been counted, in whatever repository. */
  readonly counted: Set<string>;
  readonly signal?: AbortSignal | undefined;
}

/** Counts what copying an image would do. Its bytes are counted as if the target had none of its layers. */
export async function lookAhead(
  source: ImageSource,
  target: ImageTarget,
  { reference, tag }: MigrationImage,
  looking: Looking,
): Promise<void> {
  const { report, signal } = looking;
  const manifest = await source.manifest(reference, { signal });
  if (!manifest) throw new TransferError('missing', `There is no manifest ${reference}`);
  if (await target.has(tag ?? manifest.digest, manifest.digest, { signal })) {
    report.images.present += 1;
    return;
  }
  report.images.copied += 1;
  await count(source, manifest.digest, looking, 0);
}

async function count(source: ImageSource, reference: string, looking: Looking, depth: number): Promise<void> {
  const { report, counted, signal } = looking;
  const manifest = await source.manifest(reference, { signal });
  if (!manifest) throw new TransferError('missing', `There is no manifest ${reference}`);
  const { blobs, children } = parse(manifest.content, manifest.mediaType);
  for (const { digest, size } of blobs) {
    if (counted.has(digest)) continue;
    counted.add(digest);
    report.blobs.stored += 1;
    report.storedBytes += size;
  }
  if (children.length > 0 && depth === DEPTH_MAX) throw new TransferError('invalid', 'Indexes are nested too deep');
  for (const { digest } of children) {
    if (counted.has(digest)) continue;
    counted.add(digest);
    await count(source, digest, looking, depth + 1);
  }
}

function parse(content: Uint8Array, mediaType: string) {
  try {
    return parseManifest(content, mediaType);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new TransferError('invalid', `The manifest cannot be copied: ${error.message}`, { cause: error });
  }
}
