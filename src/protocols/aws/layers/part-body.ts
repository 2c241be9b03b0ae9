import { AwsError } from '../errors.ts';
import { findTopLevelString, type StringBounds } from './top-level-string.ts';

/** The decoded bytes of a layer part, in pieces that each own their memory. */
export interface LayerPart {
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
}

export interface PartBody {
  /** The request with `layerPartBlob` emptied. */
  readonly rest: Buffer;
  /** Undefined when the request has no string under that name. */
  readonly layerPart: LayerPart | undefined;
}

/** What an UploadLayerPart request may have besides its blob: five short members need 600 bytes. */
const OTHERS_BYTES_MAX = 64 * 1024;

/** Base64 is decoded in pieces of 256 KiB: the string of a piece and its bytes then stay in the processor's cache. */
const PIECE_CHARACTERS = 4 * 87_381;

/**
 * Takes the base64 string out of an UploadLayerPart body of up to 28 MB and decodes it straight from the bytes. The body's memory
 * is written to where the string has escapes.
 *
 * Throws SerializationException for base64 that is not padded standard base64, and for a second `layerPartBlob`.
 */
export function splitPartBody(body: Buffer): PartBody {
  const result = findTopLevelString(body, 'layerPartBlob', OTHERS_BYTES_MAX);
  if ('refused' in result) throw result.refused === 'twice' ? occursTwice() : othersTooLong();
  if (result.found === undefined) return { rest: body, layerPart: undefined };
  const { start, end } = result.found;
  const rest = Buffer.concat([body.subarray(0, start), body.subarray(end)]);
  return { rest, layerPart: decode(body, plainText(body, result.found)) };
}

function decode(body: Buffer, { start, end }: StringBounds): LayerPart {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (let at = start; at < end; at += PIECE_CHARACTERS) {
    const pieceEnd = Math.min(at + PIECE_CHARACTERS, end);
    const chunk = decodePiece(body.toString('latin1', at, pieceEnd));
    // Blanks, which the decoder passes over, or padding before the end would shift what follows.
    if (chunk === undefined || chunk.length < ((pieceEnd - at) / 4) * 3 - (pieceEnd === end ? 2 : 0)) throw notBase64();
    chunks.push(chunk);
    bytes += chunk.length;
  }
  return { chunks, bytes };
}

function decodePiece(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' });
  } catch {
    return undefined;
  }
}

const BACKSLASH = 0x5c;

/** Undoes escapes in place: PHP writes `\/`, .NET `\u002B`, and line breaks of base64 come as `\n`. */
function plainText(body: Buffer, { start, end }: StringBounds): StringBounds {
  const first = body.subarray(start, end).indexOf(BACKSLASH);
  if (first < 0) return { start, end };
  let to = start + first;
  for (let from = to; from < end; from += 1) {
    const byte = body[from]!;
    if (byte !== BACKSLASH) {
      body[to] = byte;
      to += 1;
      continue;
    }
    from += 1;
    const escaped = String.fromCharCode(body[from]!);
    if (escaped === 'n' || escaped === 'r') continue;
    let plain = escaped === '/' ? 0x2f : Number.NaN;
    if (escaped === 'u' && from + 4 < end) {
      plain = unicodeEscape(body.toString('latin1', from + 1, from + 5));
      from += 4;
    }
    if (!(plain < 0x80)) throw notBase64();
    body[to] = plain;
    to += 1;
  }
  return { start, end: to };
}

function unicodeEscape(digits: string): number {
  return /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
}

function notBase64(): AwsError {
  return new AwsError(
    'SerializationException',
    "The value at 'layerPartBlob' is not base64 (standard alphabet, padded)",
  );
}

function occursTwice(): AwsError {
  return new AwsError('SerializationException', "The request has 'layerPartBlob' twice");
}

function othersTooLong(): AwsError {
  const message = `The request has more than ${OTHERS_BYTES_MAX} bytes besides 'layerPartBlob', or is not JSON`;
  return new AwsError('SerializationException', message);
}
