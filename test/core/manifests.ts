import { type Blob, blobOf, descriptor, mediaTypes } from '../support/images.ts';
import { type CoreParts, call, pushLayer } from './core-under-test.ts';

export function imageManifest(config: Blob, layers: readonly Blob[], more: object = {}): Blob {
  return manifestBlob({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(mediaTypes.config, config),
    layers: layers.map((layer) => descriptor(mediaTypes.layer, layer)),
    ...more,
  });
}

export function indexManifest(children: readonly Blob[], more: object = {}): Blob {
  const manifests = children.map((child) => descriptor(mediaTypes.manifest, child));
  return manifestBlob({ schemaVersion: 2, mediaType: mediaTypes.index, manifests, ...more });
}

export function manifestBlob(document: object): Blob {
  return blobOf(JSON.stringify(document));
}

/** Pushes an image of one layer whose content follows from a word. */
export async function pushedImage(parts: CoreParts, repositoryName: string, word: string, tag?: string): Promise<Blob> {
  const layer = await pushLayer(parts, repositoryName, `layer ${word}`);
  const manifest = imageManifest(await pushLayer(parts, repositoryName, `config ${word}`), [layer]);
  await parts.images.put(call, { repositoryName, manifest: manifest.bytes, ...(tag !== undefined && { tag }) });
  return manifest;
}

export async function tagsOf({ images }: CoreParts, repositoryName: string): Promise<string[]> {
  return (await images.tags(call, { repositoryName, after: '', limit: 100 })).tags;
}
