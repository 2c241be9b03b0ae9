import { TransferError } from '../../core/transfer/transfer.ts';
import { type LayoutFiles, readJsonFile } from './layout-files.ts';

/** An image of manifest.json (Docker image specification 1.2, "Combined Image JSON + Filesystem Changeset Format"). */
export interface DockerItem {
  /** Path of its config. */
  readonly config: string;
  /** Paths of its layers, from the base up. */
  readonly layers: readonly string[];
  /** `REPOSITORY:TAG`. */
  readonly names: readonly string[];
}

const BYTES_MAX = 4 * 1024 * 1024;
/** As many as a manifest may name. */
const LAYERS_MAX = 10_000;

/** @returns undefined when there is no manifest.json */
export async function findDockerItems(files: LayoutFiles): Promise<DockerItem[] | undefined> {
  const document = await readJsonFile(files, 'manifest.json', BYTES_MAX);
  if (document === undefined) return undefined;
  if (!Array.isArray(document)) throw broken(files);
  return document.map((item: unknown) => {
    const { Config, Layers, RepoTags } = (item ?? {}) as Record<string, unknown>;
    if (typeof Config !== 'string' || !isTexts(Layers) || Layers.length > LAYERS_MAX) throw broken(files);
    if (RepoTags !== undefined && RepoTags !== null && !isTexts(RepoTags)) throw broken(files);
    return { config: Config, layers: Layers, names: RepoTags ?? [] };
  });
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function broken(files: LayoutFiles): TransferError {
  return new TransferError('invalid', `${files.name}: manifest.json is broken`);
}
