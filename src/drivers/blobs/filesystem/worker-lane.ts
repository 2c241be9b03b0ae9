import type { FileHandle } from 'node:fs/promises';
import type { ChunkBatch } from './chunk-batch.ts';
import { BATCH_BYTES, type Lane } from './lane.ts';
import type { WorkerLink } from './upload-workers.ts';

/** Hashes and writes in a worker: batches are transferred to it, not copied. */
export class WorkerLane implements Lane {
  readonly takesLargeBatches = true;
  readonly #link: WorkerLink;
  readonly #stream: number;
  #hashedBytes: number | undefined;

  /** @param position where the upload ends now; a small start is hashed once more, after a longer one the hash is lost */
  constructor(link: WorkerLink, handle: FileHandle, position: number) {
    this.#link = link;
    this.#stream = link.newStream();
    this.#hashedBytes = position <= BATCH_BYTES ? position : undefined;
    link.tell({ kind: 'begin', stream: this.#stream, fd: handle.fd, startBytes: this.#hashedBytes });
  }

  get hashedBytes(): number | undefined {
    return this.#link.dead ? undefined : this.#hashedBytes;
  }

  async write(handle: FileHandle, position: number, { chunks, bytes }: ChunkBatch): Promise<void> {
    if (this.#hashedBytes !== undefined) this.#hashedBytes += bytes;
    const memory = chunks.map((chunk) => chunk.buffer);
    await this.#link.ask({ kind: 'write', stream: this.#stream, fd: handle.fd, position, chunks }, memory);
  }

  async sha256Hex(): Promise<string | undefined> {
    return this.#link.dead ? undefined : this.#link.ask({ kind: 'sha256', stream: this.#stream });
  }

  release(): void {
    this.#hashedBytes = undefined;
    this.#link.tell({ kind: 'forget', stream: this.#stream });
  }
}
