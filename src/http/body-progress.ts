import type { IncomingMessage } from 'node:http';

interface Body {
  readonly request: IncomingMessage;
  /** Bytes the connection had brought when the window began. */
  bytesBefore: number;
  since: number;
  /** Whether somebody here stopped reading within the window, so that the client is not to blame. */
  heldUp: boolean;
}

/**
 * Cuts off clients that trickle: they move a byte now and then, so no idle timer ever sees them, while a request of theirs holds
 * what large bodies share. A body counts as trickling when for a whole window we took all there was, and fewer bytes came than the
 * least rate brings.
 */
export class BodyProgress implements Disposable {
  readonly #bodies = new Set<Body>();
  readonly #windowMs: number;
  readonly #bytesMin: number;
  readonly #timer: NodeJS.Timeout;

  constructor({ windowSeconds, bytesPerSecondMin }: { windowSeconds: number; bytesPerSecondMin: number }) {
    this.#windowMs = windowSeconds * 1000;
    this.#bytesMin = windowSeconds * bytesPerSecondMin;
    this.#timer = setInterval(() => this.#check(performance.now()), this.#windowMs / 4).unref();
  }

  /** Looks after a request's body until it is complete or its connection is gone. */
  watch(request: IncomingMessage): void {
    if (request.complete) return;
    const body: Body = { request, bytesBefore: request.socket.bytesRead, since: performance.now(), heldUp: false };
    this.#bodies.add(body);
    request.on('pause', () => {
      body.heldUp = true;
    });
    request.once('close', () => this.#bodies.delete(body));
    request.once('end', () => this.#bodies.delete(body));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #check(now: number): void {
    for (const body of this.#bodies) {
      const { request } = body;
      if (request.complete) this.#bodies.delete(body);
      else if (request.readableFlowing !== true) restart(body, now, true);
      else if (now - body.since >= this.#windowMs) {
        const came = request.socket.bytesRead - body.bytesBefore;
        if (!body.heldUp && came < this.#bytesMin) request.socket.destroy();
        restart(body, now, false);
      }
    }
  }
}

function restart(body: Body, now: number, heldUp: boolean): void {
  body.bytesBefore = body.request.socket.bytesRead;
  body.since = now;
  body.heldUp = heldUp;
}
