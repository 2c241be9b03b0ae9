import type { ClientRequest } from 'node:http';
import type { BlobReader } from '../../core/blob-store.ts';

/** So many chunks are with the socket at a time: one on its way while the next is read. */
const CHUNKS_IN_FLIGHT_MAX = 2;

/**
 * Sends a reader's chunks as the body of a request and ends it. Each chunk is handed back when the socket is done with its
 * memory. Resolves early when the upstream has answered or the connection is gone: the request knows.
 *
 * @param progress called whenever the socket took something
 * @throws what the reader throws, and when it gives fewer bytes than it was to
 */
export async function sendChunks(
  reader: BlobReader,
  outgoing: ClientRequest,
  bytes: number,
  progress: () => void,
): Promise<void> {
  let inFlight = 0;
  let isAnswered = false;
  let wake: (() => void) | undefined;
  const stop = () => {
    isAnswered = true;
    wake?.();
  };
  const isOver = () => isAnswered || outgoing.destroyed;
  // Errors show in the request itself; here they only end the waiting.
  outgoing.once('response', stop).once('close', stop);
  const until = async (inFlightMax: number) => {
    while (inFlight > inFlightMax && !isOver()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  for (let left = bytes; left > 0 && !isOver(); ) {
    const chunk = await reader.next();
    if (chunk === undefined) throw new Error(`The bytes to be sent ended ${left} bytes early`);
    if (isOver()) return;
    left -= chunk.byteLength;
    inFlight += 1;
    outgoing.write(chunk, () => {
      inFlight -= 1;
      reader.recycle(chunk);
      progress();
      wake?.();
    });
    await until(CHUNKS_IN_FLIGHT_MAX - 1);
  }
  if (!isOver()) outgoing.end();
  await until(0);
}
