import { Worker } from 'node:worker_threads';
import { INVENTORY_FORMAT } from '../../../core/scanning/inventory.ts';
import type { MatchedImage, ScanEngine } from '../../../core/scanning/scan-engine.ts';
import { type LayerBytes, ScanError, type VulnerabilityData } from '../../../core/scanning/scanner.ts';
import type { TrivyScannerOptions } from '../trivy/trivy-scanner.ts';
import type { BuiltinScannerOptions } from './builtin-scanner.ts';
import type { EngineAnswer, EngineMessage, EngineQuestion, EngineResult } from './engine-messages.ts';
import { GiveWay } from './give-way.ts';
import { unpackReport } from './unpack-report.ts';

/** So many chunks are on their way to the thread, or wait there, for each layer that it reads. */
const CHUNKS_AHEAD = 3;

/** A thread that has nothing to do gives its memory back. */
const IDLE_MS = 30_000;

/** A layer's worth of hostile names, and not the server's memory. */
const HEAP_MEGABYTES_MAX = 512;

/** Chunks of unpacked bytes are short-lived: the sooner they are collected, the fewer there are. */
const YOUNG_MEGABYTES_MAX = 4;

/** The engine on a thread of its own, which starts when it is needed; clients are served beside it. */
export function createWorkerEngine(options: BuiltinScannerOptions | TrivyScannerOptions): ScanEngine & AsyncDisposable {
  const thread = new EngineThread(options);
  return {
    inventoryFormat: INVENTORY_FORMAT,
    readLayer: (layer, signal) => thread.readLayer(layer, signal),
    match: (layers) => thread.ask({ kind: 'match', layers }) as Promise<MatchedImage>,
    describe: (layers, subject) => thread.ask({ kind: 'describe', layers, subject }) as Promise<Uint8Array>,
    unpack: unpackReport,
    data: () => thread.ask({ kind: 'data' }) as Promise<VulnerabilityData | undefined>,
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  };
}

interface Request {
  readonly result: PromiseWithResolvers<EngineResult>;
  /** Of one that reads a layer: the thread has room. */
  wants(memory: ArrayBuffer): void;
}

class EngineThread implements AsyncDisposable {
  readonly #options: BuiltinScannerOptions | TrivyScannerOptions;
  readonly #requests = new Map<number, Request>();
  readonly #giveWay = new GiveWay();
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastRequest = 0;
  #isOver = false;

  constructor(options: BuiltinScannerOptions | TrivyScannerOptions) {
    this.#options = options;
  }

  ask(question: EngineQuestion): Promise<EngineResult> {
    return this.#begin(question, () => {}).result;
  }

  async readLayer({ mediaType, chunks }: LayerBytes, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    let room = CHUNKS_AHEAD;
    const free: ArrayBuffer[] = [];
    let wake = () => {};
    const { request, result } = this.#begin({ kind: 'read-layer', mediaType }, (memory) => {
      free.push(memory);
      room += 1;
      wake();
    });
    const abort = () => this.#tell({ kind: 'abort', request });
    signal?.addEventListener('abort', abort, { once: true });
    let isOver = false;
    const ended = result.finally(() => {
      isOver = true;
      wake();
    });
    // It is awaited below, once the chunks have an end.
    ended.catch(() => {});
    try {
      for await (const chunk of chunks) {
        await this.#giveWay.pause();
        while (room === 0 && !isOver) await new Promise<void>((resolve) => (wake = resolve));
        if (isOver) break;
        room -= 1;
        const bytes = copyInto(free.pop(), chunk);
        this.#tell({ kind: 'chunk', request, bytes }, [bytes.buffer]);
      }
      this.#tell({ kind: 'chunk', request });
      return (await ended) as Uint8Array;
    } catch (error) {
      if (!isOver) abort();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      signal?.throwIfAborted();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#idle);
    await this.#worker?.terminate();
  }

  #begin(question: EngineQuestion, wants: Request['wants']): { request: number; result: Promise<EngineResult> } {
    this.#lastRequest += 1;
    const request = this.#lastRequest;
    const result = Promise.withResolvers<EngineResult>();
    if (this.#isOver) result.reject(new Error('The scanner is closed'));
    else {
      clearTimeout(this.#idle);
      this.#worker ??= this.#start();
      // A process that waits for an answer stays alive; one with an idle thread may end.
      this.#worker.ref();
      this.#requests.set(request, { result, wants });
      this.#tell({ kind: 'ask', request, question });
    }
    return { request, result: result.promise };
  }

  #tell(message: EngineMessage, transfer: ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  #start(): Worker {
    const worker = new Worker(workerUrl(), {
      name: 'scan',
      workerData: this.#options,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES_MAX, maxYoungGenerationSizeMb: YOUNG_MEGABYTES_MAX },
    });
    worker.unref();
    let cause: unknown;
    worker.on('message', (answer: EngineAnswer) => this.#answered(answer));
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#died(new Error('The thread that scans ended', { cause }));
    });
    return worker;
  }

  #answered(answer: EngineAnswer): void {
    const asked = this.#requests.get(answer.request);
    if (answer.kind === 'wants') {
      asked?.wants(answer.memory);
      return;
    }
    this.#requests.delete(answer.request);
    if (this.#requests.size === 0) this.#restLater();
    if (answer.kind === 'done') asked?.result.resolve(answer.result);
    else asked?.result.reject(errorOf(answer));
  }

  #restLater(): void {
    this.#worker?.unref();
    this.#idle = setTimeout(() => {
      const worker = this.#worker;
      this.#worker = undefined;
      void worker?.terminate();
    }, IDLE_MS);
    this.#idle.unref();
  }

  #died(failure: Error): void {
    // One that rests was replaced perhaps: what is asked of the next is not its affair.
    if (this.#worker !== undefined) return;
    for (const { result } of this.#requests.values()) result.reject(failure);
    this.#requests.clear();
  }
}

/** Memory goes to and fro between the threads; what is made anew for each chunk would stay for a while. */
function copyInto(memory: ArrayBuffer | undefined, chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  if (memory === undefined || memory.byteLength < chunk.byteLength) return new Uint8Array(chunk);
  const bytes = new Uint8Array(memory, 0, chunk.byteLength);
  bytes.set(chunk);
  return bytes;
}

function errorOf({ message, code }: EngineAnswer & { kind: 'failed' }): Error {
  return code === undefined ? new Error(message) : new ScanError(code, message);
}

/** The worker lies beside this file, as TypeScript in the checkout and as JavaScript in the published package. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './engine-worker.ts' : './engine-worker.js', import.meta.url);
}
