import type { Call } from '../access/caller.ts';
import type { Digest } from '../values/digest.ts';

/**
 * The layer pipeline: both faces' uploads end here. A part of UploadLayerPart and a chunk of PATCH go down the same path to
 * the same staged bytes. Every method refuses with repository-not-found; all but `initiate` and `mount` with upload-not-found;
 * all but `cancel` with kms while the repository's key cannot be used.
 */
export interface Uploads {
  /** `createOnPush` lets the server's setting create a repository that is missing (docker's path, not the API's). */
  initiate(
    call: Call,
    input: { repositoryName: string; createOnPush?: boolean },
  ): Promise<{ uploadId: string; partBytes: number }>;

  /** How far an upload has come, in bytes. */
  status(call: Call, input: UploadReference): Promise<{ bytes: number }>;

  /**
   * Opens an upload for a stream of bytes (PATCH, PUT or POST with a body).
   * Refuses with upload-busy while another request writes, and layer-part-invalid when `firstByte` is not the next byte.
   */
  append(call: Call, input: UploadReference & { firstByte?: number }): Promise<UploadAppend>;

  /**
   * One part of UploadLayerPart: all or nothing, durable when this resolves.
   * Refuses with layer-part-invalid, layer-limit-exceeded, upload-busy.
   *
   * @param chunks the part's bytes; handed over to the store
   * @returns the zero-based position of the last byte received
   */
  uploadPart(
    call: Call,
    input: UploadReference & { firstByte: number; lastByte: number; chunks: Iterable<Uint8Array>; bytes: number },
  ): Promise<{ lastByteReceived: number }>;

  /**
   * CompleteLayerUpload. Refuses, in this order, with upload-empty, layer-part-too-small, layer-digest-mismatch and
   * layer-already-exists (the upload is over then, as after success).
   *
   * @param digests 1 to 100; sha256 ones are verified, others are passed over
   * @returns the sha256 that was computed
   */
  complete(call: Call, input: UploadReference & { digests: readonly string[] }): Promise<{ digest: Digest }>;

  /**
   * Ends an upload the OCI way: one digest, sha256 or sha512; an empty blob is legal; a layer that is there already is
   * success. Refuses with layer-part-too-small and layer-digest-mismatch.
   */
  finish(call: Call, input: UploadReference & { digest: Digest }): Promise<void>;

  /** Forgets an upload and its bytes. */
  cancel(call: Call, input: UploadReference): Promise<void>;

  /**
   * Cross-repository mount (OCI distribution specification, end-11).
   * @returns false when the blob cannot be mounted and the client has to upload it
   */
  mount(
    call: Call,
    input: { repositoryName: string; from: string | undefined; digest: Digest; createOnPush?: boolean },
  ): Promise<boolean>;
}

export interface UploadReference {
  readonly repositoryName: string;
  readonly uploadId: string;
}

/** One request's bytes on their way into an upload. The holder closes it, also when the client went away. */
export interface UploadAppend {
  /** Hands a chunk over. @returns false when `drained` should be awaited before the next */
  write(chunk: Uint8Array): boolean;
  drained(): Promise<void>;
  /**
   * Keeps what has arrived; the upload can go on from there. Refuses with layer-limit-exceeded when it grew too large.
   * @returns bytes received in all
   */
  close(): Promise<{ bytes: number }>;
}
