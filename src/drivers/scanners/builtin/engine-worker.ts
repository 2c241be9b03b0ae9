import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { ScanError } from '../../../core/scanning/scanner.ts';
import { createTrivyScanner, type TrivyScannerOptions } from '../trivy/trivy-scanner.ts';
import { engineOf } from './builtin-engine.ts';
import { type BuiltinScannerOptions, createBuiltinScanner } from './builtin-scanner.ts';
import type { EngineAnswer, EngineMessage, EngineQuestion, EngineResult } from './engine-messages.ts';

// The entry of the thread that reads layers and matches what they hold.

const options = workerData as BuiltinScannerOptions | TrivyScannerOptions;
const engine = engineOf('trivy' in options ? createTrivyScanner(options) : createBuiltinScanner(options));
const layers = new Map<number, LayerInput>();
const PRIORITY = 10;

/**
 * On Linux a thread has a priority of its own; elsewhere it would be the whole server's. With this one it gets a tenth of what
 * a push gets beside it, and still comes to an end where other programs leave little. Who gave the server a lower one meant it,
 * and an ordinary user may not raise it.
 */
if (process.platform === 'linux' && getPriority() < PRIORITY) setPriority(PRIORITY);

parentPort?.on('message', (message: EngineMessage) => {
  const { request } = message;
  if (message.kind === 'ask') void answer(request, message.question);
  else if (message.kind === 'abort') layers.get(request)?.abort();
  else layers.get(request)?.take(message.bytes);
});

async function answer(request: number, question: EngineQuestion): Promise<void> {
  try {
    tell({ kind: 'done', request, result: await resultOf(request, question) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    tell({ kind: 'failed', request, message, ...(error instanceof ScanError && { code: error.code }) });
  } finally {
    layers.delete(request);
  }
}

function resultOf(request: number, question: EngineQuestion): Promise<EngineResult> {
  if (question.kind === 'match') return engine.match(question.layers);
  if (question.kind === 'describe') return engine.describe(question.layers, question.subject);
  if (question.kind === 'data') return engine.data();
  const input = new LayerInput((memory) => tell({ kind: 'wants', request, memory }, [memory]));
  layers.set(request, input);
  return engine.readLayer({ mediaType: question.mediaType, chunks: input }, input.signal);
}

function tell(answered: EngineAnswer, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(answered, transfer);
}

/** The chunks of a layer as they come. */
class LayerInput {
  readonly #wants: (memory: ArrayBuffer) => void;
  readonly #aborting = new AbortController();
  readonly #came: (Uint8Array | undefined)[] = [];
  #waiting: ((chunk: Uint8Array | undefined) => void) | undefined;

  /** @param wants told when a chunk was read, with its memory */
  constructor(wants: (memory: ArrayBuffer) => void) {
    this.#wants = wants;
  }

  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  /** @param chunk undefined at the end */
  take(chunk: Uint8Array | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(chunk);
    else this.#came.push(chunk);
  }

  /** Whoever reads is told at the next chunk, which is the end. */
  abort(): void {
    this.#aborting.abort();
    this.take(undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#came.length > 0 ? this.#came.shift() : await this.#next();
      this.signal.throwIfAborted();
      if (chunk === undefined) return;
      yield chunk;
      this.#wants(chunk.buffer as ArrayBuffer);
    }
  }

  #next(): Promise<Uint8Array | undefined> {
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
    this.#waiting = resolve;
    return promise;
  }
}
