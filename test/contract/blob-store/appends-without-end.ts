import { openFilesystemBlobStore } from '../../../src/drivers/blobs/filesystem/filesystem-blob-store.ts';
import { keptUnder } from './encrypted.ts';

// Appends to an encrypted upload until it is killed, durably, and tells each size that was acknowledged. The byte at any
// position is known to whoever reads it.
const [directory, dataKey, uploadId, seed] = process.argv.slice(2) as [string, string, string, string];
const store = await openFilesystemBlobStore({ directory, workers: 1 });
const kept = keptUnder(store, Buffer.from(dataKey, 'hex'));
let bytes = await kept.stagedBytes(uploadId);
process.send?.(bytes);
for (let round = Number(seed); ; round++) {
  const length = [1, 700, 65_536, 100_000, 3, 300_000][round % 6]!;
  const appender = await kept.appender(uploadId, bytes);
  appender.write(Uint8Array.from({ length }, (_, at) => ((bytes + at) * 31) % 251));
  bytes = await appender.close(true);
  process.send?.(bytes);
}
