import { stat } from 'node:fs/promises';

const LOOK_MS = 5_000;

interface Watcher {
  /** The file came to be or was changed, and rests for the moment; when this rejects it is told again. */
  onChange(): Promise<void>;
  /** Told once until it goes well again. */
  onError(error: unknown): void;
}

/**
 * Tells of each change of a database's file, until disposal. Looking at the file is left to whoever is told: this asks for
 * its times alone. While it is being imported into it is not told.
 */
export function watchDatabase(file: string | undefined, { onChange, onError }: Watcher): AsyncDisposable {
  let told = NO_FILE;
  let seen = NO_FILE;
  let isFailing = false;
  let looking: Promise<void> = Promise.resolve();
  const look = async () => {
    const now = await stateOf(file ?? '');
    const rests = now === seen;
    seen = now;
    if (now === told || (!rests && told !== NO_FILE)) return;
    await onChange();
    told = now;
  };
  const begin = () => {
    looking = looking.then(look).then(
      () => {
        isFailing = false;
      },
      (error: unknown) => {
        if (!isFailing) onError(error);
        isFailing = true;
      },
    );
  };
  const timer = file === undefined ? undefined : setInterval(begin, LOOK_MS).unref();
  if (file !== undefined) begin();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await looking;
    },
  };
}

const NO_FILE = '';

/** What was written last is in the log beside the file. */
async function stateOf(file: string): Promise<string> {
  const parts = await Promise.all([file, `${file}-wal`].map(partOf));
  return parts.every((part) => part === NO_FILE) ? NO_FILE : parts.join('/');
}

async function partOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NO_FILE;
    throw error;
  }
}
