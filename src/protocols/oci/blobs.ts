import { sendBlob } from '../../http/send-blob.ts';
import { apiVersion } from './api-version.ts';
import { answerEmpty, type OciExchange } from './exchange.ts';
import { digestFrom } from './references.ts';

/** GET and HEAD (end-2), with ranges. A blob store that gives links sends the bytes itself; HEAD is answered here. */
export async function getBlob(exchange: OciExchange): Promise<void> {
  const { request, response, context, call, repositoryName, parameter } = exchange;
  const digest = digestFrom(parameter);
  const layer = await context.core.layers.open(call, {
    repositoryName,
    digest,
    isLook: request.method === 'HEAD',
  });
  if (layer.downloadUrl && request.method === 'GET') {
    const Location = await layer.downloadUrl(REDIRECT_SECONDS);
    // A cache between would hand out a link that others may not have, and that ends.
    return answerEmpty(exchange, 307, { Location, 'Docker-Content-Digest': digest, 'Cache-Control': 'no-store' });
  }
  await sendBlob(request, response, {
    bytes: layer.bytes,
    etag: `"${digest}"`,
    contentType: 'application/octet-stream',
    headers: { ...apiVersion, 'Docker-Content-Digest': digest },
    read: (range) => layer.read(range),
  });
}

/** A link counts when the download begins; a client that begins again asks here again. */
const REDIRECT_SECONDS = 1200;

/** DELETE (end-10). */
export async function deleteBlob(exchange: OciExchange): Promise<void> {
  const { context, call, repositoryName, parameter } = exchange;
  await context.core.layers.delete(call, { repositoryName, digest: digestFrom(parameter) });
  answerEmpty(exchange, 202, {});
}
