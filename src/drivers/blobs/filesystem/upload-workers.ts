import { Worker } from 'node:worker_threads';
import type { DigestAlgorithm } from '../../../core/values/digest.ts';
import type { StagedChunks } from './encrypted/encrypted-content.ts';
import type { WorkerAnswer, WorkerMessage, WorkerQuestion } from './worker-messages.ts';

/** A bounded set of threads that hash and write. Each starts when it is first needed. */
export class UploadWorkers implements AsyncDisposable {
  readonly #links: WorkerLink[];
  #nextLink = 0;
  #disposed = false;

  constructor(count: number) {
    this.#links = Array.from({ length: count }, () => new WorkerLink());
  }

  /** The worker with the least to do; equally idle ones take turns. */
  leastBusy(): WorkerLink {
    if (this.#disposed) throw new Error('The blob store is closed');
    let best: number | undefined;
    for (let step = 0; step < this.#links.length; step++) {
      const index = (this.#nextLink + step) % this.#links.length;
      if (this.#links[index]!.dead) this.#links[index] = new WorkerLink();
      if (best === undefined || this.#links[index]!.waiting < this.#links[best]!.waiting) best = index;
    }
    this.#nextLink = (best! + 1) % this.#links.length;
    return this.#links[best!]!;
  }

  /** Digest of a whole file in hex. Rejects with ENOENT when there is no such file. */
  async hashFile(path: string, algorithm: DigestAlgorithm): Promise<string> {
    const hex = await this.leastBusy().ask({ kind: 'hash-file', path, algorithm });
    return hex!;
  }

  /** Digest of encrypted staged bytes in hex. */
  async hashChunks(chunks: StagedChunks, algorithm: DigestAlgorithm): Promise<string> {
    const hex = await this.leastBusy().ask({ kind: 'hash-chunks', chunks, algorithm });
    return hex!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await Promise.all(this.#links.map((link) => link.terminate()));
  }
}

/** One worker thread and the questions it has not answered yet. */
export class WorkerLink {
  readonly #waiting = new Map<number, PromiseWithResolvers<string | undefined>>();
  #worker: Worker | undefined;
  #lastRequest = 0;
  #lastStream = 0;
  #failure: Error | undefined;

  /** A dead worker took its running hashes along; its uploads go on elsewhere. */
  get dead(): boolean {
    return this.#failure !== undefined;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  newStream(): number {
    this.#lastStream++;
    return this.#lastStream;
  }

  /** Rejects with the worker's error, its code kept. */
  ask(question: WorkerQuestion, transfer: ArrayBuffer[] = []): Promise<string | undefined> {
    const answer = Promise.withResolvers<string | undefined>();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#lastRequest++;
    this.tell({ ...question, request: this.#lastRequest }, transfer);
    // A process with an unanswered question stays alive; one with idle workers may end.
    if (this.#waiting.size === 0) this.#worker?.ref();
    this.#waiting.set(this.#lastRequest, answer);
    return answer.promise;
  }

  tell(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
    if (this.#failure !== undefined) return;
    this.#worker ??= this.#start();
    this.#worker.postMessage(message, transfer);
  }

  async terminate(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) this.#failure ??= new Error('The blob store is closed');
    else await worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(workerUrl(), { name: 'upload' });
    worker.unref();
    let cause: unknown;
    worker.on('message', (answer: WorkerAnswer) => this.#answered(answer));
    worker.on('error', (error) => {
      cause = error;
    });
    // Not on 'error': only after the exit is it certain that no write is under way on a descriptor about to be closed.
    worker.on('exit', () => this.#died(new Error('An upload worker ended', { cause })));
    return worker;
  }

  #answered({ request, hex, failure }: WorkerAnswer): void {
    const answer = this.#waiting.get(request);
    this.#waiting.delete(request);
    if (this.#waiting.size === 0) this.#worker?.unref();
    if (failure === undefined) answer?.resolve(hex);
    else
      answer?.reject(
        Object.assign(new Error(failure.message), failure.code === undefined ? {} : { code: failure.code }),
      );
  }

  #died(failure: Error): void {
    this.#failure = failure;
    this.#worker = undefined;
    for (const answer of this.#waiting.values()) answer.reject(failure);
    this.#waiting.clear();
  }
}

/** The worker lies beside this file, as TypeScript in the checkout and as JavaScript in the published package. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './upload-worker.ts' : './upload-worker.js', import.meta.url);
}
