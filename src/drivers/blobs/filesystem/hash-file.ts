import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { DigestAlgorithm } from '../../../core/values/digest.ts';

/** Digest of a whole file in hex, read `bufferBytes` at a time. Rejects with ENOENT when there is no such file. */
export async function hashFile(path: string, algorithm: DigestAlgorithm, bufferBytes: number): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const hash = createHash(algorithm);
    const buffer = Buffer.allocUnsafeSlow(bufferBytes);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, bufferBytes);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}
