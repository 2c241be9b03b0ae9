import { sendBlob } from '../../http/send-blob.ts';
import { apiVersion } from './api-version.ts';
import { answerEmpty, type OciExchange } from './exchange.ts';
import { digestFrom } from './references.ts';

/** GET and HEAD (end-2), with ranges. */
export async function getBlob({
  request,
  response,
  context,
  call,
  repositoryName,
  parameter,
}: OciExchange): Promise<void> {
  const digest = digestFrom(parameter);
  const layer = await context.core.layers.open(call, { repositoryName, digest });
  await sendBlob(request, response, {
    bytes: layer.bytes,
    etag: `"${digest}"`,
    contentType: 'application/octet-stream',
    headers: { ...apiVersion, 'Docker-Content-Digest': digest },
    read: (range) => layer.read(range),
  });
}

/** DELETE (end-10). */
export async function deleteBlob(exchange: OciExchange): Promise<void> {
  const { context, call, repositoryName, parameter } = exchange;
  await context.core.layers.delete(call, { repositoryName, digest: digestFrom(parameter) });
  answerEmpty(exchange, 202, {});
}
