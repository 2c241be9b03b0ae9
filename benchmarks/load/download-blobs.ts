import { Connection } from './connection.ts';
import { expect, head } from './requests.ts';

export interface DownloadBlobs {
  readonly kind: 'download-blobs';
  readonly port: number;
  readonly repository: string;
  /** One connection each, all at once. */
  readonly digests: readonly string[];
}

const bufferBytes = 1024 * 1024;

/** Bytes are counted and dropped. */
export async function downloadBlobs({ port, repository, digests }: DownloadBlobs) {
  const connections = await Promise.all(digests.map(() => Connection.open(port, bufferBytes)));
  const start = performance.now();
  const answers = await Promise.all(
    digests.map((digest, index) =>
      connections[index]!.request(head('GET', `/v2/${repository}/blobs/${digest}`, port), [], { keepsBody: false }),
    ),
  );
  const seconds = (performance.now() - start) / 1000;
  for (const connection of connections) connection.close();
  const bytes = answers.reduce((sum, answer) => sum + expect(answer, 200).bodyBytes, 0);
  return { seconds, bytes, operations: digests.length };
}
