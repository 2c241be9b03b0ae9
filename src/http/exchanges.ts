import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** By the monotonic clock, in milliseconds. */
  readonly startedAt: number;
  /**
   * When the answer before it on the connection is over; undefined when there is none. A client that sends ahead would otherwise
   * have as much work done at once, and held in memory, as fits into one packet.
   */
  readonly turn: Promise<void> | undefined;
  /** Bytes since the connection's last request ended; asked once, at the end. */
  traffic(): { readonly bytesIn: number; readonly bytesOut: number };
}

interface Connection {
  readonly underWay: Exchange[];
  bytesIn: number;
  bytesOut: number;
}

/** The connections of a server and what is under way on each, so that it can end without cutting anybody off. */
export class DrainingExchanges {
  readonly #connections = new Map<Socket, Connection>();
  #draining = false;

  connected(socket: Socket): void {
    this.#connections.set(socket, { underWay: [], bytesIn: 0, bytesOut: 0 });
    socket.once('close', () => this.#connections.delete(socket));
  }

  begin(request: IncomingMessage, response: ServerResponse): Exchange {
    const { socket } = request;
    const connection = this.#connections.get(socket) ?? { underWay: [], bytesIn: 0, bytesOut: 0 };
    const exchange = {
      request,
      response,
      startedAt: performance.now(),
      turn: endOf(connection.underWay.at(-1)),
      traffic: () => trafficSince(connection, socket),
    };
    connection.underWay.push(exchange);
    if (this.#draining) response.shouldKeepAlive = false;
    response.once('close', () => {
      connection.underWay.splice(connection.underWay.indexOf(exchange), 1);
      // The head of an answer under way when draining began had promised to keep the connection.
      if (this.#draining && connection.underWay.length === 0) socket.destroySoon();
    });
    return exchange;
  }

  /** What is under way on a connection; several when the client sends ahead. */
  on(socket: Socket): readonly Exchange[] {
    return this.#connections.get(socket)?.underWay ?? [];
  }

  /** From now on a connection ends with its last answer, and at once when it has none to wait for. */
  drain(): void {
    this.#draining = true;
    for (const [socket, { underWay }] of this.#connections) {
      if (underWay.length === 0) socket.destroy();
      for (const { response } of underWay) if (!response.headersSent) response.shouldKeepAlive = false;
    }
  }
}

function endOf(exchange: Exchange | undefined): Promise<void> | undefined {
  if (exchange === undefined) return undefined;
  return new Promise((resolve) => exchange.response.once('close', () => resolve()));
}

function trafficSince(connection: Connection, socket: Socket): { bytesIn: number; bytesOut: number } {
  const { bytesIn, bytesOut } = connection;
  connection.bytesIn = socket.bytesRead;
  connection.bytesOut = socket.bytesWritten;
  return { bytesIn: connection.bytesIn - bytesIn, bytesOut: connection.bytesOut - bytesOut };
}
