import { type Blob, type Image, mediaTypes } from '../support/images.ts';
import { type Answering, type HostileRegistry, startHostile } from './hostile-registry.ts';

/** A registry that serves what a test gives it, counts what it is asked, and gives the trouble that a test wants. */
export interface ScriptedRegistry extends HostileRegistry {
  /** Serves an image under its digest, and a tag if one is given. */
  add(repository: string, image: Image, tag?: string): void;
  addManifest(repository: string, manifest: Blob, mediaType: string, tag?: string): void;
  addBlob(repository: string, blob: Blob): void;
  /** Answers requests like `GET /v2/a/manifests/b` that fit in this way, in place of any way before; undefined: as usual. */
  trouble(fits: RegExp, answer: Answering | undefined): void;
  /** How often something that fits was asked. */
  count(fits: RegExp): number;
}

export async function startScripted(): Promise<ScriptedRegistry> {
  const manifests = new Map<string, { manifest: Blob; mediaType: string }>();
  const blobs = new Map<string, Blob>();
  const troubles = new Map<string, { fits: RegExp; answer: Answering }>();
  const registry = await startHostile((request, response, count) => {
    const { method = '', url = '' } = request;
    const trouble = [...troubles.values()].find(({ fits }) => fits.test(`${method} ${url}`));
    if (trouble) return trouble.answer(request, response, count);
    if (url === '/v2/') return response.end('{}');
    const found = manifests.get(url);
    if (found) {
      const { manifest, mediaType } = found;
      const headers = { 'Content-Type': mediaType, 'Docker-Content-Digest': manifest.digest };
      response.writeHead(200, { ...headers, 'Content-Length': manifest.bytes.length });
      return response.end(method === 'HEAD' ? undefined : manifest.bytes);
    }
    const blob = blobs.get(url);
    if (blob) {
      response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': blob.bytes.length });
      return response.end(method === 'HEAD' ? undefined : blob.bytes);
    }
    response.writeHead(404, { 'Content-Type': 'application/json' });
    return response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not here"}]}');
  });
  const addManifest: ScriptedRegistry['addManifest'] = (repository, manifest, mediaType, tag) => {
    for (const reference of [manifest.digest, ...(tag === undefined ? [] : [tag])]) {
      manifests.set(`/v2/${repository}/manifests/${reference}`, { manifest, mediaType });
    }
  };
  const addBlob: ScriptedRegistry['addBlob'] = (repository, blob) => {
    blobs.set(`/v2/${repository}/blobs/${blob.digest}`, blob);
  };
  return {
    ...registry,
    add(repository, image, tag) {
      for (const blob of [image.config, ...image.layers]) addBlob(repository, blob);
      addManifest(repository, image.manifest, mediaTypes.manifest, tag);
    },
    addManifest,
    addBlob,
    trouble(fits, answer) {
      if (answer) troubles.set(String(fits), { fits, answer });
      else troubles.delete(String(fits));
    },
    count: (fits) => registry.asked.filter((asked) => fits.test(asked)).length,
  };
}
