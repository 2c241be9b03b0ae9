import { constants, type FileHandle, open } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { DeliveryError, type EventSender } from '../../core/events/event-sender.ts';

/**
 * Appends events to a file, one line of JSON each, on disk when `send` resolves. Settings: `path`, absolute. The file is
 * opened for each write, so another program may move it away at any time.
 */
export function createFileSender(): EventSender {
  const writers = new Map<string, LineWriter>();
  return {
    async send({ settings: { path = '' }, event }) {
      if (!isAbsolute(path)) throw new DeliveryError('its path is not absolute', { isFinal: true });
      const writer = writers.get(path) ?? createLineWriter(path);
      writers.set(path, writer);
      await writer(`${JSON.stringify(event)}\n`).catch((error: NodeJS.ErrnoException) => {
        throw new DeliveryError(`it cannot be written: ${error.code ?? error.message}`, { cause: error });
      });
      return `written to ${path}`;
    },
  };
}

type LineWriter = (line: string) => Promise<void>;

/** Lines that come while others are being synced share the next sync. */
function createLineWriter(path: string): LineWriter {
  let waiting: string[] = [];
  let next: Promise<void> | undefined;
  let present: Promise<void> = Promise.resolve();
  const write = async () => {
    await present.catch(() => {});
    const lines = waiting;
    waiting = [];
    present = next ?? present;
    next = undefined;
    await appendSynced(path, lines);
  };
  return (line) => {
    waiting.push(line);
    next ??= write();
    return next;
  };
}

/** Never waits for the other end of a pipe. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

async function appendSynced(path: string, lines: readonly string[]): Promise<void> {
  await using handle = await open(path, FLAGS, 0o600);
  const stats = await handle.stat();
  if (!stats.isFile()) throw new Error('it is no regular file');
  const start = (await endsInLine(handle, stats.size)) ? '' : '\n';
  await handle.appendFile(start + lines.join(''));
  await handle.sync();
  if (stats.size === 0) await syncFolder(dirname(path));
}

/** A crash or a full disk may have left half a line: it is ended, or the next one would be spoilt too. */
async function endsInLine(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return true;
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 0 || buffer[0] === 0x0a;
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY);
  await handle.sync();
}
