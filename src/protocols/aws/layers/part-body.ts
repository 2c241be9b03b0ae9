import { AwsError } from '../errors.ts';
import { findTopLevelString, type StringBounds } from './top-level-string.ts';

/** The bytes of a layer part. */
export interface LayerPart {
  /**
   * Pieces that each own their memory. They are decoded as they are asked for, so that hashing and writing go on beside it;
   * throws SerializationException where the text is not base64.
   */
  readonly chunks: Iterable<Uint8Array>;
  /** How many they are in all. */
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

/** Base64 is read in strings short enough to be cheap to make and to collect … */
const TEXT_CHARACTERS = 64 * 1024;
const TEXT_BYTES = (TEXT_CHARACTERS / 4) * 3;
/** … several of which fill a piece. */
const PIECE_BYTES = 5 * TEXT_BYTES;

/**
 * Takes the base64 string out of an UploadLayerPart body of up to 28 MB, to be decoded straight from the bytes: the body must
 * stay as it is until then. Its memory is written to where the string has escapes.
 *
 * Throws SerializationException for a length that padded base64 cannot have, and for a second `layerPartBlob`.
 */
export function splitPartBody(body: Buffer): PartBody {
  const result = findTopLevelString(body, 'layerPartBlob', OTHERS_BYTES_MAX);
  if ('refused' in result) throw result.refused === 'twice' ? occursTwice() : othersTooLong();
  if (result.found === undefined) return { rest: body, layerPart: undefined };
  const { start, end } = result.found;
  const rest = Buffer.concat([body.subarray(0, start), body.subarray(end)]);
  const text = plainText(body, result.found);
  const bytes = decodedBytes(body, text);
  return { rest, layerPart: { bytes, chunks: { [Symbol.iterator]: () => decode(body, text, bytes) } } };
}

function decodedBytes(body: Buffer, { start, end }: StringBounds): number {
  if ((end - start) % 4 !== 0) throw notBase64();
  let padding = 0;
  while (padding < 2 && end - padding > start && body[end - 1 - padding] === EQUALS_SIGN) padding += 1;
  return ((end - start) / 4) * 3 - padding;
}

function* decode(body: Buffer, { start, end }: StringBounds, bytes: number): Generator<Uint8Array> {
  let at = start;
  for (let left = bytes; left > 0; left -= PIECE_BYTES) {
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, left));
    for (let filled = 0; filled < piece.length; filled += TEXT_BYTES) {
      const textEnd = Math.min(at + TEXT_CHARACTERS, end);
      decodeText(body.toString('latin1', at, textEnd), piece.subarray(filled, filled + TEXT_BYTES));
      at = textEnd;
    }
    yield piece;
  }
}

/** Fills a target to its end. Blanks, which the decoder passes over, and padding before the end leave room in it. */
function decodeText(text: string, target: Uint8Array): void {
  try {
    const { written } = target.setFromBase64(text, { lastChunkHandling: 'strict' });
    if (written === target.length) return;
  } catch {}
  throw notBase64();
}

const EQUALS_SIGN = 0x3d;
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
