import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket, connect as toServer } from 'node:net';

/** A way to a database on which each answer takes a while, and which counts how often somebody waits for one. */
export interface SlowWay extends AsyncDisposable {
  /** The database's address, on this way. */
  readonly url: string;
  /** How often, during the work, something was asked while no answer was awaited: what is asked at once counts once. */
  tripsOf(work: () => Promise<unknown>): Promise<number>;
}

/** Longer than anything takes besides. */
const DELAY_MILLISECONDS = 40;

export async function openSlowWay(databaseUrl: string): Promise<SlowWay> {
  const { hostname, port } = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const awaiting = new Set<Socket>();
  let trips = 0;
  const server = createServer((client) => {
    const database: Socket = toServer(Number(port), hostname);
    for (const [socket, other] of [
      [client, database],
      [database, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        awaiting.delete(client);
        other.destroy();
      });
    }
    client.on('data', (chunk) => {
      if (awaiting.size === 0) trips++;
      awaiting.add(client);
      database.write(chunk);
    });
    database.on('data', (chunk: Buffer) => {
      setTimeout(() => {
        if (isReady(chunk)) awaiting.delete(client);
        client.write(chunk);
      }, DELAY_MILLISECONDS);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    async tripsOf(work) {
      const before = trips;
      await work();
      return trips - before;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html: ReadyForQuery ends what the server has to say. */
function isReady(chunk: Buffer): boolean {
  return chunk.length >= 6 && chunk.subarray(-6, -1).equals(Buffer.from([0x5a, 0, 0, 0, 5]));
}
