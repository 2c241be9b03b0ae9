import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Bytes as they are written, and what the server says to them; no HTTP client stands between. */
export interface RawExchange {
  /** Everything that came until the connection ended or fell silent, as latin1. */
  readonly text: string;
  /** The status of every answer in it, in order. */
  readonly statuses: readonly number[];
  /** Whether the server ended the connection. */
  readonly closed: boolean;
}

const silentSeconds = 10;

/**
 * Sends the pieces one after the other and reads until the server closes, or until `enough` says that what came is all there will be.
 *
 * @param url http://HOST:PORT
 */
export async function rawExchange(
  url: string,
  pieces: string | Buffer | readonly (string | Buffer)[],
  enough: (text: string) => boolean = () => false,
): Promise<RawExchange> {
  const socket = await rawConnection(url);
  let text = '';
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (enough(text)) resolve(false);
  });
  socket.once('close', () => resolve(true));
  const timer = setTimeout(() => resolve(false), silentSeconds * 1000);
  for (const piece of [pieces].flat()) socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
  const closed = await promise;
  clearTimeout(timer);
  socket.destroy();
  return { text, closed, statuses: [...text.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g)].map((line) => Number(line[1])) };
}

/** A connection to the server of a URL; a reset by the server is no error, only an end. */
export async function rawConnection(url: string): Promise<Socket> {
  const [, host = '', port = ''] = /^http:\/\/([^:/]+):(\d+)/.exec(url) ?? [];
  const socket = connect(Number(port), host);
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}
