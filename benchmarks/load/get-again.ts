import { mediaTypes } from '../../test/support/images.ts';
import { Connection } from './connection.ts';
import { expect, head } from './requests.ts';

export interface GetAgain {
  readonly kind: 'get-again';
  readonly port: number;
  readonly path: string;
  /** The Authorization header; one that nobody knows, unless given. */
  readonly authorization?: string;
  readonly connections: number;
  readonly seconds: number;
}

/** The same small answer over and over, one request under way per connection. */
export async function getAgain({ port, path, authorization, connections, seconds }: GetAgain) {
  const credentials = authorization === undefined ? {} : { Authorization: authorization };
  const request = Buffer.from(head('GET', path, port, { Accept: `${mediaTypes.manifest}, */*`, ...credentials }));
  const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)));
  const latenciesMs: number[] = [];
  let bytes = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  const work = open.map(async (connection) => {
    for (let sent = performance.now(); sent < end; ) {
      const { bodyBytes } = expect(await connection.request(request, [], { keepsBody: false }), 200);
      bytes += bodyBytes;
      const answered = performance.now();
      latenciesMs.push(answered - sent);
      sent = answered;
    }
    connection.close();
  });
  await Promise.all(work);
  const sorted = Float64Array.from(latenciesMs).sort();
  return {
    seconds: (performance.now() - start) / 1000,
    bytes,
    operations: sorted.length,
    medianMs: sorted[Math.floor(sorted.length / 2)] ?? 0,
    highestMs: sorted.at(-1) ?? 0,
  };
}
