import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './storage-errors.ts';

/** Folders of the store that exist and whose names are on disk, as far as this process knows. */
export class DurableFolders {
  readonly #root: string;
  readonly #known = new Map<string, Promise<void>>();

  /** @param root an existing folder; only folders below it can be made */
  constructor(root: string) {
    this.#root = root;
  }

  /** Makes a folder below the root with its parents; on return its name is on disk. */
  ensure(folder: string): Promise<void> {
    if (folder === this.#root) return Promise.resolve();
    const known = this.#known.get(folder);
    if (known !== undefined) return known;
    const making = this.#make(folder);
    this.#known.set(folder, making);
    making.catch(() => this.forget(folder));
    return making;
  }

  /** Makes the next `ensure` look again, for when a folder turned out to be gone. */
  forget(folder: string): void {
    for (let each = folder; each !== this.#root && each !== dirname(each); each = dirname(each)) {
      this.#known.delete(each);
    }
  }

  async #make(folder: string): Promise<void> {
    const parent = dirname(folder);
    await this.ensure(parent);
    await makeFolder(folder);
    // Also when it was there already: whoever made it may have died before its name reached the disk.
    await syncFolder(parent);
  }
}

/** Makes the root of a store with whatever is missing above it, durably, and for its owner alone. */
export async function makeRoot(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; ; made = dirname(made)) {
    await syncFolder(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}

/** Takes the names in a folder to the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}
