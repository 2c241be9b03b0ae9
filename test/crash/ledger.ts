import type { Blob } from '../support/images.ts';

/** What a repository may hold, going by what the server answered. One client alone changes a repository. */
export interface RepositoryLedger {
  readonly name: string;
  readonly layers: Map<string, LayerEntry>;
  readonly images: Map<string, ImageEntry>;
  /** For each tag the digests it may be on; undefined stands for its absence. */
  readonly tags: Map<string, Set<string | undefined>>;
  /** While its deletion, or its making after that, was asked for and not answered. */
  mayBeGone: boolean;
}

export interface LayerEntry {
  readonly blob: Blob;
  /** Milliseconds since the epoch: until then the layer stays although no image uses it. */
  promisedUntil: number;
  /** The server said that it deleted the layer. */
  deleted: boolean;
  /** Whether anything happened to it since its bytes were last compared. */
  touched: boolean;
}

export interface ImageEntry {
  readonly manifest: Blob;
  readonly layers: readonly string[];
  /** Both while no answer told. */
  mayBeThere: boolean;
  mayBeGone: boolean;
  /** When its deletion was asked for, from which on its layers have a lease. */
  deletionSentAt: number;
}

export function newLedger(name: string): RepositoryLedger {
  return { name, layers: new Map(), images: new Map(), tags: new Map(), mayBeGone: false };
}

/** Notes that bytes are on their way; the entry promises nothing yet. */
export function expectLayer(ledger: RepositoryLedger, blob: Blob): LayerEntry {
  const entry = ledger.layers.get(blob.digest) ?? { blob, promisedUntil: 0, deleted: false, touched: true };
  ledger.layers.set(blob.digest, entry);
  entry.deleted = false;
  entry.touched = true;
  return entry;
}

/** Notes that the server said the layer is there, in its answer to a request sent at `sentAt`. */
export function promise(ledger: RepositoryLedger, blob: Blob, sentAt: number, leaseMs: number): void {
  const entry = expectLayer(ledger, blob);
  // The server's clock may have stood anywhere in that millisecond.
  entry.promisedUntil = Math.max(entry.promisedUntil, sentAt + leaseMs - 2);
}

/** Whether the layer has to be there now. */
export function mustHaveLayer(ledger: RepositoryLedger, digest: string): boolean {
  const entry = ledger.layers.get(digest);
  if (entry === undefined) return false;
  if (!entry.deleted && entry.promisedUntil > Date.now()) return true;
  return usersOf(ledger, digest).some((image) => !image.mayBeGone);
}

export function usersOf(ledger: RepositoryLedger, digest: string): ImageEntry[] {
  return [...ledger.images.values()].filter((image) => image.layers.includes(digest));
}

/** Notes that the repository is gone with all it held. */
export function settleRepositoryGone(ledger: RepositoryLedger): void {
  for (const entries of [ledger.layers, ledger.images, ledger.tags]) entries.clear();
}

export function possibleTagTargets(ledger: RepositoryLedger, tag: string): Set<string | undefined> {
  const known = ledger.tags.get(tag) ?? new Set([undefined]);
  ledger.tags.set(tag, known);
  return known;
}

/** Notes that an image is gone for certain: its tags went with it, and its layers began a lease. */
export function settleGone(ledger: RepositoryLedger, digest: string, leaseMs: number): void {
  const image = ledger.images.get(digest);
  if (image === undefined) return;
  ledger.images.delete(digest);
  for (const [tag, targets] of ledger.tags) {
    if (!targets.delete(digest)) continue;
    if (targets.size === 0) ledger.tags.set(tag, new Set([undefined]));
  }
  for (const layer of image.layers) {
    const entry = ledger.layers.get(layer);
    if (entry === undefined) continue;
    entry.touched = true;
    entry.promisedUntil = Math.max(entry.promisedUntil, image.deletionSentAt + leaseMs - 2);
  }
}
