import type { BlobReader, ByteRange } from '../blob-store.ts';
import type { Digest } from '../values/digest.ts';
import type { Descriptor } from '../values/manifest.ts';

/**
 * Another registry, reached through the OCI distribution protocol alone. Nothing it says is believed: digests of manifests,
 * lengths and shapes are checked here, the digest of a blob by whoever stores it.
 *
 * Every method rejects with UpstreamError, with the signal's reason when the caller gave up, and with whatever a BlobSource
 * threw. What only asks is tried again when the connection fails or the upstream answers 502, 503 or 504.
 */
export interface UpstreamRegistry extends AsyncDisposable {
  /** Host and port, as messages name it. */
  readonly host: string;

  /** Resolves when a registry answers there and takes the credentials. */
  ping(options?: Cancellation): Promise<void>;

  /**
   * A manifest whose bytes have the digest that was asked for, or for a tag the one the upstream named. At most
   * MANIFEST_BYTES_MAX; rejects with `not-found` when there is none.
   *
   * @param reference a tag or a digest
   * @returns `not-modified` when the reference still has the digest given as `ifNoneMatch`
   */
  getManifest(
    repository: string,
    reference: string,
    options?: ManifestRequest,
  ): Promise<UpstreamManifest | 'not-modified'>;

  /** What a reference points at, as the upstream says; undefined when it points at nothing. */
  headManifest(
    repository: string,
    reference: string,
    options?: Omit<ManifestRequest, 'ifNoneMatch'>,
  ): Promise<UpstreamManifestHead | undefined>;

  /** Whether the repository has the blob, and how long it says it is. */
  headBlob(
    repository: string,
    digest: Digest,
    options?: Cancellation,
  ): Promise<{ readonly bytes: number | undefined } | undefined>;

  /**
   * Opens a blob for reading. The reader goes on by itself after a broken connection, and rejects with `invalid` when the
   * bytes are more or fewer than promised. Whether they have the digest is for the consumer to find out. The caller disposes
   * of the reader, also after an error. A chunk owns its memory: the consumer may transfer it, and need not recycle it.
   */
  openBlob(repository: string, digest: Digest, options?: BlobRequest): Promise<UpstreamBlob>;

  /**
   * Asks the upstream to take a blob over from another of its repositories.
   *
   * @returns whether it did; if not, the blob is to be uploaded
   */
  mountBlob(repository: string, digest: Digest, fromRepository: string, options?: Cancellation): Promise<boolean>;

  /** Stores a blob. With `mountFrom` the upstream may take it over from there, and the source is not read. */
  uploadBlob(repository: string, blob: BlobSource, options?: UploadRequest): Promise<'uploaded' | 'mounted'>;

  /**
   * Stores a manifest byte for byte.
   *
   * @param reference a tag or the manifest's own digest
   * @returns its digest
   */
  putManifest(
    repository: string,
    reference: string,
    manifest: { readonly content: Uint8Array; readonly mediaType: string },
    options?: Cancellation,
  ): Promise<Digest>;

  /** All tags in the upstream's order, page after page as they are consumed. */
  listTags(repository: string, options?: Cancellation): AsyncIterable<string>;

  /** All repositories that the upstream lists for these credentials; many registries list none, or refuse. */
  listRepositories(options?: Cancellation): AsyncIterable<string>;

  /**
   * What names the digest as its subject; nothing there gives nothing. From a registry without the referrers API, what its
   * clients keep under the tag that stands for it (OCI distribution specification, "Referrers Tag Schema").
   */
  referrers(repository: string, digest: Digest, options?: Cancellation): AsyncIterable<UpstreamReferrer>;
}

/** Makes a client of the registry at an address; what it may connect to was settled when it was composed. */
export type ConnectUpstream = (target: UpstreamTarget) => UpstreamRegistry;

export interface UpstreamTarget {
  /** `https://HOST[:PORT][/PREFIX]`; everything asked lies below PREFIX/v2/. */
  readonly url: string;
  /** Nobody's when left out. */
  readonly credentials?: UpstreamCredentials | CredentialsProvider;
  /** Whether they are sent before they are asked for: to a registry that admits everybody, and goes by them all the same. */
  readonly sendsCredentialsAtOnce?: boolean;
  /** Sent with all that is asked of the registry itself. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface UpstreamCredentials {
  readonly username: string;
  readonly password: string;
  /** From shortly before this on the provider is asked again. */
  readonly expiresAt?: Date;
}

/** Asked when credentials are needed first, when they expire, and once when the upstream refuses them. */
export type CredentialsProvider = () => Promise<UpstreamCredentials>;

export interface Cancellation {
  readonly signal?: AbortSignal | undefined;
}

export interface ManifestRequest extends Cancellation {
  /** Media types; the kinds the registry knows unless given. */
  readonly accept?: readonly string[] | undefined;
  readonly ifNoneMatch?: Digest | undefined;
}

export interface UpstreamManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly content: Uint8Array;
}

export interface UpstreamManifestHead {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: number;
}

export interface BlobRequest extends Cancellation {
  /** Where to begin; 0 unless given. */
  readonly offset?: number | undefined;
  /** Length of the whole blob, as its descriptor says; anything else is refused. */
  readonly expectedBytes?: number | undefined;
}

export interface UpstreamBlob extends BlobReader {
  /** Length of the whole blob, whatever the offset. */
  readonly totalBytes: number;
}

/** Bytes to be sent; read again, from where the upstream has them, after a broken connection. */
export interface BlobSource {
  readonly digest: Digest;
  readonly bytes: number;
  read(range: ByteRange): Promise<BlobReader>;
}

export interface UploadRequest extends Cancellation {
  readonly mountFrom?: string | undefined;
}

export interface UpstreamReferrer extends Descriptor {
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * - `unauthorized`: the credentials, or having none, are not accepted
 * - `denied`: they are, but do not allow this
 * - `not-found`: no such repository, manifest or blob
 * - `too-many-requests`: the upstream wants to be left alone for a while
 * - `unavailable`: no connection, no TLS, no answer in time, 5xx
 * - `refused`: the upstream says why it does not take this (another 4xx)
 * - `invalid`: what it answers is wrong: HTML, bad JSON, a lying digest or length, too much, too many redirects
 * - `forbidden-address`: it leads to an address that is not asked
 */
export type UpstreamErrorCode =
  | 'unauthorized'
  | 'denied'
  | 'not-found'
  | 'too-many-requests'
  | 'unavailable'
  | 'refused'
  | 'invalid'
  | 'forbidden-address';

/** The message names the host, what was asked of it and what came of that; never credentials, tokens or signed links. */
export class UpstreamError extends Error {
  readonly code: UpstreamErrorCode;
  readonly host: string;
  /** What the upstream answered, when that was the trouble. */
  readonly status: number | undefined;
  /** How long it wants to be left alone, when it says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    facts: {
      readonly code: UpstreamErrorCode;
      readonly host: string;
      readonly message: string;
      readonly status?: number | undefined;
      readonly retryAfterSeconds?: number | undefined;
    },
    options?: { cause?: unknown },
  ) {
    super(facts.message, options);
    this.name = 'UpstreamError';
    this.code = facts.code;
    this.host = facts.host;
    this.status = facts.status;
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }
}
