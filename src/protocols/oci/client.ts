import type { IncomingMessage } from 'node:http';

/** Where a request comes from, with what trusted proxies say of it. */
export interface Client {
  /** Empty when the connection is gone. */
  readonly sourceIp: string;
  /** Whether the client's own connection is encrypted. */
  readonly isSecure: boolean;
  /** With its port, as the client named it. */
  readonly host: string | undefined;
}

export type ClientOf = (request: IncomingMessage) => Client;

/** As the connection alone tells it: right where no proxy stands before the server. */
export const directClient: ClientOf = ({ socket, headers: { host } }) => ({
  sourceIp: socket.remoteAddress ?? '',
  isSecure: 'encrypted' in socket,
  host,
});
