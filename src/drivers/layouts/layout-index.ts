import { TransferError } from '../../core/transfer/transfer.ts';
import { type Digest, parseDigest } from '../../core/values/digest.ts';
import { type LayoutFiles, readJsonFile } from './layout-files.ts';

/** An entry of index.json (OCI image layout specification, "index.json file"). */
export interface LayoutEntry {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const REF_NAME = 'org.opencontainers.image.ref.name';
/** The full name, which containerd, docker and nerdctl write beside the tag. */
export const IMAGE_NAME = 'io.containerd.image.name';

/** Some 300 bytes for each of many thousand images. */
const INDEX_BYTES_MAX = 64 * 1024 * 1024;
const SMALL_BYTES_MAX = 4096;

/** @returns undefined when the files are no OCI image layout; rejects with TransferError when they are a broken one */
export async function readLayoutIndex(files: LayoutFiles): Promise<LayoutEntry[] | undefined> {
  const marker = (await readJsonFile(files, 'oci-layout', SMALL_BYTES_MAX)) as { imageLayoutVersion?: unknown } | null;
  const document = (await readJsonFile(files, 'index.json', INDEX_BYTES_MAX)) as { manifests?: unknown } | null;
  if (marker === undefined || document === undefined) return undefined;
  const { imageLayoutVersion: version } = marker ?? {};
  if (typeof version !== 'string' || !version.startsWith('1.')) {
    throw new TransferError('invalid', `${files.name}: its layout is of version ${JSON.stringify(version)}, not 1.0.0`);
  }
  if (!Array.isArray(document?.manifests))
    throw new TransferError('invalid', `${files.name}: index.json has no manifests`);
  return document.manifests.map((entry, at) => readEntry(files, entry, at));
}

function readEntry(files: LayoutFiles, entry: unknown, at: number): LayoutEntry {
  const { mediaType, digest, size, annotations } = (entry ?? {}) as Record<string, unknown>;
  const parsed = typeof digest === 'string' ? parseDigest(digest) : undefined;
  const texts = Object.entries(annotations ?? {}).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string',
  );
  if (!parsed || typeof mediaType !== 'string' || !Number.isSafeInteger(size) || (size as number) < 0) {
    throw new TransferError('invalid', `${files.name}: index.json is broken at manifests[${at}]`);
  }
  return {
    mediaType,
    digest: parsed,
    size: size as number,
    ...(texts.length > 0 && { annotations: Object.fromEntries(texts) }),
  };
}
