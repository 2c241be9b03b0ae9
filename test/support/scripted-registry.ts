import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Blob, type Image, mediaTypes } from './images.ts';

/** A registry that serves what a test gives it, counts what it is asked, and gives the trouble that a test wants. */
export interface ScriptedRegistry extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  /** `METHOD PATH` of every request so far. */
  readonly asked: string[];
  /** Serves an image under its digest, and a tag if one is given. */
  add(repository: string, image: Image, tag?: string): void;
  addManifest(repository: string, manifest: Blob, mediaType: string, tag?: string): void;
  addBlob(repository: string, blob: Blob): void;
  /** Answers requests like `GET /v2/a/manifests/b` that fit in this way, in place of any way before; undefined: as usual. */
  trouble(fits: RegExp, answer: Answer | undefined): void;
  /** How often something that fits was asked. */
  count(fits: RegExp): number;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

export async function startScripted(): Promise<ScriptedRegistry> {
  const manifests = new Map<string, { manifest: Blob; mediaType: string }>();
  const blobs = new Map<string, Blob>();
  const troubles = new Map<string, { fits: RegExp; answer: Answer }>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    asked.push(`${method} ${url}`);
    const trouble = [...troubles.values()].find(({ fits }) => fits.test(`${method} ${url}`));
    if (trouble) return trouble.answer(request, response);
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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const addManifest: ScriptedRegistry['addManifest'] = (repository, manifest, mediaType, tag) => {
    for (const reference of [manifest.digest, ...(tag === undefined ? [] : [tag])]) {
      manifests.set(`/v2/${repository}/manifests/${reference}`, { manifest, mediaType });
    }
  };
  const addBlob: ScriptedRegistry['addBlob'] = (repository, blob) => {
    blobs.set(`/v2/${repository}/blobs/${blob.digest}`, blob);
  };
  return {
    url: `http://${host}`,
    host,
    asked,
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
    count: (fits) => asked.filter((one) => fits.test(one)).length,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
