import type { Server } from 'node:https';
import type { Socket } from 'node:net';

/** Connections that are not yet ones of TLS: a server does not count them, yet would wait for them when it ends. */
export interface Handshakes {
  cutOff(): void;
}

export function followHandshakes(server: Server): Handshakes {
  const underWay = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket);
    underWay.set(name, socket);
    socket.once('close', () => underWay.get(name) === socket && underWay.delete(name));
  });
  server.on('secureConnection', (socket) => underWay.delete(nameOf(socket)));
  return {
    cutOff() {
      for (const socket of underWay.values()) socket.destroy();
    },
  };
}

/** The socket of TLS is another object than the connection it came on, between the same two ends. */
function nameOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
