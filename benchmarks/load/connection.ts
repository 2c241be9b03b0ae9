import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  /** The header block as it came. */
  readonly head: string;
  /** Empty when the body was only counted. */
  readonly body: Buffer;
  readonly bodyBytes: number;
}

const headEnd = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('0\r\n\r\n');

/**
 * One keep-alive HTTP/1.1 connection with one request under way: request bytes are written as they are given, and answers
 * read into one buffer that is used again and again, so that the load costs as little as a client can.
 */
export class Connection {
  readonly #socket: Socket;
  #answered: ((answer: Answer) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #head = '';
  #pieces: Buffer[] = [];
  #received = 0;
  #expected = 0;
  #keepsBody = true;
  #readsHead = true;
  #hasBody = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number, bufferBytes = 64 * 1024): Promise<Connection> {
    let connection: Connection | undefined;
    const onread = {
      buffer: Buffer.allocUnsafeSlow(bufferBytes),
      callback: (bytes: number, buffer: Uint8Array) => {
        connection?.take(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
        return true;
      },
    };
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread });
    await once(socket, 'connect');
    connection = new Connection(socket);
    socket.on('error', (error) => connection?.fail(error));
    socket.on('close', () => connection?.fail(new Error('the server closed the connection')));
    return connection;
  }

  /**
   * @param head request line and headers with the empty line, ready to send
   * @param body pieces in order; the head must announce their length
   * @param options.keepsBody false: the answer's body is counted and dropped
   * @param options.hasBody false for HEAD, whose answer has none
   */
  async request(
    head: string | Buffer,
    body: Iterable<Buffer> = [],
    { keepsBody = true, hasBody = true }: { keepsBody?: boolean; hasBody?: boolean } = {},
  ): Promise<Answer> {
    this.#head = '';
    this.#pieces = [];
    this.#received = 0;
    this.#expected = 0;
    this.#readsHead = true;
    this.#keepsBody = keepsBody;
    this.#hasBody = hasBody;
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
    });
    this.#socket.write(head);
    for (const piece of body) {
      // An early answer is a refusal: nobody reads the rest.
      if (this.#answered === undefined) break;
      if (!this.#socket.write(piece)) await Promise.race([once(this.#socket, 'drain'), answer]);
    }
    return answer;
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  private fail(error: Error): void {
    const failed = this.#failed;
    this.#answered = undefined;
    this.#failed = undefined;
    failed?.(error);
  }

  private take(bytes: Buffer): void {
    const rest = this.#readsHead ? this.takeHead(bytes) : bytes;
    if (rest === undefined) return;
    this.#received += rest.length;
    const isChunked = this.#expected < 0;
    if (rest.length > 0 && (this.#keepsBody || isChunked)) this.#pieces.push(Buffer.from(rest));
    const isComplete = isChunked
      ? Buffer.concat(this.#pieces.slice(-2)).subarray(-lastChunk.length).equals(lastChunk)
      : this.#received >= this.#expected;
    if (isComplete) this.finish(isChunked);
  }

  /** @returns what follows the header block; undefined while it is not whole */
  private takeHead(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(headEnd);
    if (this.#head !== '' || end < 0) {
      const whole = Buffer.concat([Buffer.from(this.#head, 'latin1'), bytes]);
      const wholeEnd = whole.indexOf(headEnd);
      this.#head = whole.toString('latin1', 0, wholeEnd < 0 ? whole.length : wholeEnd);
      if (wholeEnd < 0) return undefined;
      this.readsLength();
      return whole.subarray(wholeEnd + headEnd.length);
    }
    this.#head = bytes.toString('latin1', 0, end);
    this.readsLength();
    return bytes.subarray(end + headEnd.length);
  }

  private readsLength(): void {
    this.#readsHead = false;
    if (!this.#hasBody || /^HTTP\/1\.1 (?:204|304)/.test(this.#head)) return;
    this.#expected = /\r\ntransfer-encoding: *chunked/i.test(this.#head)
      ? -1
      : Number(headerOf(this.#head, 'content-length') ?? 0);
  }

  private finish(isChunked: boolean): void {
    const answered = this.#answered;
    this.#answered = undefined;
    this.#failed = undefined;
    const bytes = Buffer.concat(this.#pieces);
    const body = isChunked ? unchunked(bytes) : bytes;
    answered?.({
      status: Number(this.#head.slice(9, 12)),
      head: this.#head,
      body,
      bodyBytes: isChunked ? body.length : this.#received,
    });
  }
}

/** @param name in lower case */
export function headerOf(head: string, name: string): string | undefined {
  const lower = head.toLowerCase();
  const at = lower.indexOf(`\r\n${name}:`);
  if (at < 0) return undefined;
  const start = at + name.length + 3;
  const end = head.indexOf('\r\n', start);
  return head.slice(start, end < 0 ? undefined : end).trim();
}

function unchunked(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const length = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!(length > 0)) return Buffer.concat(pieces);
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}
