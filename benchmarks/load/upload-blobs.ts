import { Connection } from './connection.ts';
import { type Content, freshContent } from './content.ts';
import { expect, head, uploadPath } from './requests.ts';

export interface UploadBlobs {
  readonly kind: 'upload-blobs';
  readonly port: number;
  readonly repository: string;
  /** As many connections, one blob each. */
  readonly count: number;
  readonly blobBytes: number;
}

/** POST, PATCH with all bytes streamed, PUT; all blobs at once. */
export async function uploadBlobs({ port, repository, count, blobBytes }: UploadBlobs) {
  const contents = Array.from({ length: count }, () => freshContent(blobBytes));
  const connections = await Promise.all(contents.map(() => Connection.open(port)));
  const start = performance.now();
  await Promise.all(contents.map((content, index) => uploadBlob(connections[index]!, port, repository, content)));
  const seconds = (performance.now() - start) / 1000;
  for (const connection of connections) connection.close();
  return { seconds, bytes: count * blobBytes, operations: count, digests: contents.map(({ digest }) => digest) };
}

export async function uploadBlob(
  connection: Connection,
  port: number,
  repository: string,
  content: Content,
): Promise<void> {
  const post = head('POST', `/v2/${repository}/blobs/uploads/`, port, { 'Content-Length': 0 });
  const started = expect(await connection.request(post), 202);
  const type = { 'Content-Type': 'application/octet-stream' };
  const patch = head('PATCH', uploadPath(started), port, { ...type, 'Content-Length': content.bytes });
  const patched = expect(await connection.request(patch, content.pieces()), 202);
  const put = head('PUT', uploadPath(patched, content.digest), port, { 'Content-Length': 0 });
  expect(await connection.request(put), 201);
}
