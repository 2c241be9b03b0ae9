import { createHash, type Hash } from 'node:crypto';
import { readSync, writevSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { chunksAfter, freeChunks } from './chunk-batch.ts';
import { CHUNK_BYTES, ChunkCipher, RECORD_BYTES } from './encrypted/chunk-cipher.ts';
import { hashChunks } from './encrypted/encrypted-content.ts';
import { hashFile } from './hash-file.ts';
import { codeOf } from './storage-errors.ts';
import type { WorkerAnswer, WorkerMessage, WorkerQuestion } from './worker-messages.ts';

// The entry of a worker thread: hashes and writes what the main thread hands over. Descriptors belong to the main
// thread, which closes one only after every write on it was answered.

interface Stream {
  readonly hash: Hash | undefined;
  /** Absent for plain bytes. */
  readonly cipher: ChunkCipher | undefined;
  /** The first failure; later writes are refused with it, so that the file never gets a hole. */
  failure: unknown;
}

const HASH_FILE_BUFFER_BYTES = 1024 * 1024;
const streams = new Map<number, Stream>();

parentPort?.on('message', (message: WorkerMessage) => {
  if (message.kind === 'begin') streams.set(message.stream, begin(message));
  else if (message.kind === 'forget') streams.delete(message.stream);
  else void answer(message.request, message);
});

async function answer(request: number, question: WorkerQuestion): Promise<void> {
  let reply: WorkerAnswer;
  try {
    reply = { request, hex: await work(question) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    reply = { request, failure: { message, code: codeOf(error) } };
  }
  parentPort?.postMessage(reply);
}

function work(question: WorkerQuestion): Promise<string> | string | undefined {
  switch (question.kind) {
    case 'write':
      return write(question.stream, question.fd, question.position, question.chunks);
    case 'sha256':
      return sha256(question.stream, question.rest);
    case 'hash-file':
      // Asynchronous: uploads on this worker go on between the reads.
      return hashFile(question.path, question.algorithm, HASH_FILE_BUFFER_BYTES);
    case 'hash-chunks':
      return hashChunks(question.chunks, question.algorithm);
  }
}

function begin({ fd, startBytes, chunkKey }: Extract<WorkerMessage, { kind: 'begin' }>): Stream {
  const cipher = chunkKey && new ChunkCipher(chunkKey);
  if (startBytes === undefined) return { hash: undefined, cipher, failure: undefined };
  const hash = createHash('sha256');
  try {
    hashStart(hash, fd, startBytes);
    return { hash, cipher, failure: undefined };
  } catch (failure) {
    return { hash, cipher, failure };
  }
}

function sha256(stream: number, rest: Uint8Array = new Uint8Array()): string | undefined {
  return streams.get(stream)?.hash?.copy().update(rest).digest('hex');
}

function hashStart(hash: Hash, fd: number, bytes: number): void {
  const start = Buffer.allocUnsafeSlow(bytes);
  for (let at = 0; at < bytes; ) {
    const bytesRead = readSync(fd, start, at, bytes - at, at);
    if (bytesRead === 0) throw new Error(`The staged bytes end at ${at}, before ${bytes}`);
    at += bytesRead;
  }
  hash.update(start);
}

function write(id: number, fd: number, position: number, chunks: Uint8Array<ArrayBuffer>[]): undefined {
  const stream = streams.get(id);
  if (stream === undefined) throw new Error(`Upload stream ${id} was forgotten`);
  if (stream.failure !== undefined) throw stream.failure;
  try {
    for (const chunk of chunks) stream.hash?.update(chunk);
    const { cipher } = stream;
    const written = cipher ? encrypted(cipher, position, chunks) : chunks;
    writeAll(fd, position, written);
    if (written !== chunks) freeChunks(written);
  } catch (failure) {
    stream.failure = failure;
    throw failure;
  } finally {
    freeChunks(chunks);
  }
}

function writeAll(fd: number, position: number, chunks: Uint8Array<ArrayBuffer>[]): void {
  let at = position;
  for (let rest = chunks; rest.length > 0; ) {
    const written = writevSync(fd, rest, at);
    at += written;
    rest = chunksAfter(rest, written);
  }
}

/** The records of whole chunks that lie from a position of the file on. */
function encrypted(cipher: ChunkCipher, position: number, plain: Uint8Array[]): Uint8Array<ArrayBuffer>[] {
  let index = position / RECORD_BYTES;
  return plain.map((chunks) => {
    const records = cipher.encryptWhole(chunks, index);
    index += chunks.byteLength / CHUNK_BYTES;
    return records;
  });
}
