import { describeQuota, type QuotaLimits } from '../quotas/quotas.ts';
import type { Upload } from './upload-records.ts';

const MIB = 1024 * 1024;

/** What InitiateLayerUpload answers as `partSize`. */
export const PART_BYTES = 10 * MIB;
/** Largest `layerPartBlob` of the API model. */
export const PART_BYTES_MAX = 20 * MIB;
/** Smallest part but the last (ECR API reference, CompleteLayerUpload). */
export const PART_BYTES_MIN = 5 * MIB;

export interface Part {
  /** Zero-based, both ends included. */
  readonly firstByte: number;
  readonly lastByte: number;
  /** How many bytes came. */
  readonly bytes: number;
}

export type PartVerdict =
  | { readonly verdict: 'accepted' }
  | { readonly verdict: 'invalid' | 'limit-exceeded'; readonly reason: string };

/**
 * Where the next part must begin. While there are parts, the record says so: staged bytes beyond it are the rest of a
 * part that was never acknowledged. Without parts the staged bytes came as a stream and count as they are; but a first part
 * that starts over at 0 replaces them.
 */
export function nextPartByte(upload: Upload, stagedBytes: number, firstByte: number): number {
  if (upload.parts > 0) return upload.bytes;
  return firstByte === 0 ? 0 : stagedBytes;
}

/** Judges one part of UploadLayerPart against what was received before it. */
export function judgePart(upload: Upload, expectedFirstByte: number, part: Part, limits: QuotaLimits): PartVerdict {
  const invalid = (reason: string): PartVerdict => ({ verdict: 'invalid', reason });
  if (part.firstByte !== expectedFirstByte) {
    return invalid(`First byte of the layer part is ${part.firstByte} instead of ${expectedFirstByte}`);
  }
  if (part.lastByte - part.firstByte + 1 !== part.bytes || part.bytes === 0) {
    return invalid(
      `The layer part size is not valid: bytes ${part.firstByte} to ${part.lastByte} were announced and ${part.bytes} bytes came`,
    );
  }
  if (part.bytes > PART_BYTES_MAX) {
    return invalid(`The layer part size is not valid: ${part.bytes} bytes are more than ${PART_BYTES_MAX}`);
  }
  if (upload.parts >= limits['layer-parts']) {
    return { verdict: 'limit-exceeded', reason: describeQuota(limits, 'layer-parts', 'A layer can have', 'parts') };
  }
  if (part.lastByte >= limits['layer-bytes']) return { verdict: 'limit-exceeded', reason: layerTooLarge(limits) };
  return { verdict: 'accepted' };
}

export function layerTooLarge(limits: QuotaLimits): string {
  return describeQuota(limits, 'layer-bytes', 'A layer can have', 'bytes');
}

/** The record after a part. */
export function afterPart(
  upload: Upload,
  part: Part,
  now: Date,
): Pick<Upload, 'parts' | 'bytes' | 'lastPartBytes' | 'smallestEarlierPartBytes' | 'touchedAt'> {
  const earlier =
    upload.parts > 0 ? Math.min(upload.smallestEarlierPartBytes ?? Infinity, upload.lastPartBytes) : undefined;
  return {
    parts: upload.parts + 1,
    bytes: part.lastByte + 1,
    lastPartBytes: part.bytes,
    ...(earlier !== undefined && { smallestEarlierPartBytes: earlier }),
    touchedAt: now,
  };
}

/** Whether a part other than the last is below the minimum, which only the end of an upload can tell. */
export function hasPartTooSmall(upload: Upload): boolean {
  return (upload.smallestEarlierPartBytes ?? Infinity) < PART_BYTES_MIN;
}
