import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

/** For tests: AWS's own signer over node:crypto. */
export function awsSigner(
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
  { service = 'ecr', declareHash = true }: { service?: string; declareHash?: boolean } = {},
): SignatureV4 {
  return new SignatureV4({ credentials, region: 'us-east-1', service, sha256: Sha256, applyChecksum: declareHash });
}

class Sha256 {
  readonly #hash;
  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }
  update(data: unknown): void {
    this.#hash.update(bytesOf(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

function bytesOf(data: unknown): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  const { buffer, byteOffset, byteLength } = data as ArrayBufferView;
  return new Uint8Array(buffer, byteOffset, byteLength);
}
