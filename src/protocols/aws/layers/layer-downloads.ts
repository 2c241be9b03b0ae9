import type { ServerResponse } from 'node:http';
import type { Core } from '../../../core/core.ts';
import { type RefusalKind, RefusedError } from '../../../core/errors.ts';
import type { StoredLayer } from '../../../core/layers/layers.ts';
import type { Handler } from '../../../http/handler.ts';
import { sendBlob } from '../../../http/send-blob.ts';

/**
 * Serves the links of GetDownloadUrlForLayer: GET and HEAD with ranges. The signature in the link is all it asks for: no
 * credentials are looked at.
 */
export function createLayerDownloadHandler({ core }: { readonly core: Core }): Handler {
  return async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return sendText(response, 405, 'A download link takes GET and HEAD');
    }
    const layer = await open(core, request.url ?? '', response);
    if (layer === undefined) return;
    await sendBlob(request, response, {
      bytes: layer.bytes,
      etag: `"${layer.digest}"`,
      contentType: layer.mediaType ?? 'application/octet-stream',
      // An answer may be kept for as long as the link works; bytes of a digest never change.
      headers: { 'Docker-Content-Digest': layer.digest, 'Cache-Control': 'private, max-age=3600' },
      read: (range) => layer.read(range),
    });
  };
}

async function open(core: Core, path: string, response: ServerResponse): Promise<StoredLayer | undefined> {
  try {
    return await core.downloadLinks.open(path);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    sendText(response, STATUSES[error.refusal.kind] ?? 404, error.message);
    return undefined;
  }
}

/** Anything else is not there. A key that cannot be used is no fault of the link's, and asking again soon does not help. */
const STATUSES: Partial<Record<RefusalKind, number>> = { 'download-link-invalid': 403, kms: 400 };

function sendText(response: ServerResponse, status: number, text: string): void {
  const bytes = Buffer.from(`${text}\n`);
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': bytes.length });
  response.end(bytes);
}
