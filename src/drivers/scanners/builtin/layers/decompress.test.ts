import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { ScanError } from '../../../../core/scanning/scanner.ts';
import { decompress } from './decompress.ts';
import { layerLimits } from './layer-limits.ts';
import { inPieces } from './some-archive.ts';

const plain = Buffer.from(Array.from({ length: 60_000 }, (_, at) => `${at} `).join(''));
const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);

async function unpacked(bytes: Buffer, limits = layerLimits, pieceBytes = 5000): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of decompress(inPieces(bytes, pieceBytes), limits)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function refused(bytes: Buffer, code: string, limits = layerLimits): Promise<void> {
  return assert.rejects(unpacked(bytes, limits), (error) => error instanceof ScanError && error.code === code);
}

describe('a compressed layer', () => {
  const half = plain.length / 2;
  const kinds: Readonly<Record<string, Buffer>> = {
    plain,
    gzip: gzipSync(plain),
    'gzip in two members': Buffer.concat([gzipSync(plain.subarray(0, half)), gzipSync(plain.subarray(half))]),
    zstd: zstdCompressSync(plain),
    'zstd in two frames and one to skip': Buffer.concat([
      zstdCompressSync(plain.subarray(0, half)),
      skippable,
      zstdCompressSync(plain.subarray(half)),
    ]),
    'zstd after a frame to skip': Buffer.concat([skippable, zstdCompressSync(plain)]),
  };
  for (const [kind, bytes] of Object.entries(kinds)) {
    it(`is unpacked: ${kind}`, async () => {
      for (const pieceBytes of [777, 1024 * 1024]) {
        const given = await unpacked(bytes, layerLimits, pieceBytes);
        assert.ok(given.equals(plain), `${given.length} bytes of ${plain.length}`);
      }
    });
  }

  it('is refused when it is cut short or changed', async () => {
    for (const packed of [gzipSync(plain), zstdCompressSync(plain)]) {
      await refused(packed.subarray(0, packed.length - 3), 'truncated-layer');
      await refused(packed.subarray(0, packed.length / 2), 'truncated-layer');
    }
    const changed = gzipSync(plain);
    changed.fill(0xff, 5000, 5400);
    await refused(changed, 'corrupt-layer');
    const changedFrame = zstdCompressSync(plain);
    changedFrame.fill(0xff, 6, 30);
    await refused(changedFrame, 'corrupt-layer');
    const sum = gzipSync(plain);
    sum[sum.length - 6]! ^= 1;
    await refused(sum, 'corrupt-layer');
  });

  it('is refused when too much comes of it', async () => {
    const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024));
    await refused(bomb, 'layer-too-large', { ...layerLimits, bytesMax: 1024 * 1024 });
    await refused(bomb, 'suspicious-ratio', { ...layerLimits, ratioFromBytes: 1024 * 1024 });
    await refused(zstdCompressSync(Buffer.alloc(8 * 1024 * 1024)), 'suspicious-ratio', {
      ...layerLimits,
      ratioFromBytes: 1024 * 1024,
    });
    await refused(Buffer.alloc(2 * 1024 * 1024), 'layer-too-large', { ...layerLimits, bytesMax: 1024 * 1024 });
    assert.equal((await unpacked(bomb)).length, 8 * 1024 * 1024);
  });

  it('fails with the error of its source', async () => {
    async function* broken() {
      yield gzipSync(plain).subarray(0, 1000);
      throw new Error('the disk is gone');
    }
    await assert.rejects(async () => {
      for await (const _ of decompress(broken(), layerLimits));
    }, /the disk is gone/);
  });

  it('lets go of its source when its reader stops', async () => {
    let isClosed = false;
    async function* source() {
      try {
        for (;;) yield gzipSync(plain);
      } finally {
        isClosed = true;
      }
    }
    for await (const _ of decompress(source(), layerLimits)) break;
    assert.equal(isClosed, true);
  });
});
