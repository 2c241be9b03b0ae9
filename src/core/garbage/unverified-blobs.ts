import { isOfSilence } from '../encryption/key-refusals.ts';
import { parseKmsArn } from '../encryption/kms-key-names.ts';
import type { Protection } from '../encryption/protection.ts';
import type { RefusedError } from '../errors.ts';
import type { Blob, BlobReads } from '../layers/layer-records.ts';

/** Blobs that could not be read for one reason, which is that of their key; they may be well. */
export interface UnverifiedBlobs {
  readonly reason: string;
  /** `ACCOUNT/REGION` of the registry that has them. */
  readonly registry: string;
  readonly blobs: number;
  /** Those that have layers of them, in lexical order; of each blob some at most. */
  readonly repositoryNames: readonly string[];
}

/** What came of asking for the key of one blob after the other. */
export class UnverifiedBlobLog {
  readonly #records: Pick<BlobReads, 'repositoriesWith'>;
  readonly #found = new Map<string, { registry: string; reason: string; blobs: number; names: Set<string> }>();
  /** Of key services that did not answer, by where they are: to wait for each blob anew could take days. */
  readonly #silent = new Map<string, { readonly error: RefusedError; readonly until: number }>();
  readonly #now: () => Date;

  constructor(records: Pick<BlobReads, 'repositoriesWith'>, now: () => Date) {
    this.#records = records;
    this.#now = now;
  }

  get found(): UnverifiedBlobs[] {
    return [...this.#found.values()].map(({ names, ...rest }) => ({ ...rest, repositoryNames: [...names].sort() }));
  }

  /** Why the key of a blob need not be asked for: its service was asked a moment ago, and did not answer. */
  knownRefusal({ protection }: Blob): RefusedError | undefined {
    const known = protection && this.#silent.get(serviceOf(protection));
    return known && this.#now().getTime() < known.until ? known.error : undefined;
  }

  /** Remembers who did not answer. */
  hear({ protection }: Blob, error: RefusedError): void {
    if (!protection || !isOfSilence(error)) return;
    this.#silent.set(serviceOf(protection), { error, until: this.#now().getTime() + SILENCE_MS });
  }

  /** Notes a blob that could not be read, and is not known to be broken. */
  async note({ id, scope }: Blob, { message: reason }: RefusedError): Promise<void> {
    const registry = scope.split('/', 2).join('/');
    const key = `${registry} ${reason}`;
    const known = this.#found.get(key) ?? { registry, reason, blobs: 0, names: new Set() };
    this.#found.set(key, known);
    known.blobs += 1;
    for (const name of await this.#records.repositoriesWith(id, REPOSITORIES_MAX)) known.names.add(name);
  }
}

/** Whoever did not answer once may have been slow that once: later it is asked again. */
const SILENCE_MS = 60_000;

/** A base layer may be in thousands. */
const REPOSITORIES_MAX = 100;

/** Key services are one for each region. */
function serviceOf({ keyId }: Protection): string {
  return parseKmsArn(keyId)?.registry.region ?? keyId;
}
