import assert from 'node:assert/strict';
import { it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { randomSource } from '../../../../test/oracle/random-source.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { ScanError } from '../../../core/scanning/scanner.ts';
import { inventoryLayer } from './inventory-layer.ts';
import { layerLimits } from './layers/layer-limits.ts';
import { inPieces, someArchive, someEntry } from './layers/some-archive.ts';
import { someGoProgram, someRpmDatabase, someZip } from './some-files.ts';

const ROUNDS = 400;
const MEDIA_TYPE = 'application/vnd.oci.image.layer.v1.tar';

const pom = 'META-INF/maven/a/b/pom.properties';
const files: readonly [name: string, bytes: Buffer][] = [
  ['a.jar', someZip({ [pom]: 'groupId=a\nartifactId=b\nversion=1\n', 'c.jar': someZip({ [pom]: 'x' }) }, false)],
  ['b.jar', someZip({ [pom]: 'groupId=a\nartifactId=b\nversion=1\n' })],
  ['var/lib/rpm/rpmdb.sqlite', someRpmDatabase([{ name: 'a', version: '1', release: '2', epoch: 3 }])],
  ['program', someGoProgram('go1.22.1', ['mod\ta\tv1.0.0\t']).subarray(0, 70_000)],
];

/** Read to its end or refused; anything else would be a fault of the server's. */
async function readOrRefuse(bytes: Buffer, temporary: string): Promise<'read' | 'refused'> {
  const limits = { ...layerLimits, bytesMax: 64 * 1024 * 1024 };
  try {
    await inventoryLayer(
      { mediaType: MEDIA_TYPE, chunks: inPieces(bytes, 4000) },
      { limits, temporaryFolder: temporary },
    );
    return 'read';
  } catch (error) {
    if (error instanceof ScanError) return 'refused';
    throw error;
  }
}

function damage(random: ReturnType<typeof randomSource>, bytes: Buffer): Buffer {
  const damaged = Buffer.from(bytes);
  // Heads and ends are where formats keep their counts and places.
  const places = [
    () => random.integer(200),
    () => bytes.length - 1 - random.integer(200),
    () => random.integer(bytes.length),
  ];
  for (let times = 1 + random.integer(6); times > 0; times -= 1) {
    damaged[Math.max(0, random.pick(places)()) % bytes.length] = random.pick([
      0,
      1,
      0x7f,
      0x80,
      0xff,
      random.integer(256),
    ]);
  }
  return random.once(4) ? damaged.subarray(0, random.integer(damaged.length)) : damaged;
}

it(`a file in a layer may be damaged in any way: ${ROUNDS} rounds`, async () => {
  await using folder = await temporaryFolder();
  const random = randomSource(7);
  for (let round = 0; round < ROUNDS; round += 1) {
    const [name, bytes] = random.pick(files);
    const archive = someArchive([{ name, mode: 0o755, bytes: damage(random, bytes) }]);
    assert.equal(await readOrRefuse(archive, folder.path), 'read', `round ${round}: ${name}`);
  }
});

it(`a layer may be damaged in any way: ${ROUNDS} rounds`, async () => {
  await using folder = await temporaryFolder();
  const random = randomSource(8);
  const archive = Buffer.concat([
    someEntry({ name: 'short', pax: { path: 'a/long/name', size: '3' }, bytes: 'abc' }),
    someArchive(files.map(([name, bytes]) => ({ name, longName: name, mode: 0o755, bytes: bytes.subarray(0, 3000) }))),
  ]);
  const layers = [archive, gzipSync(archive), zstdCompressSync(archive)];
  const seen = { read: 0, refused: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    seen[await readOrRefuse(damage(random, random.pick(layers)), folder.path)] += 1;
  }
  assert.ok(seen.refused > ROUNDS / 5 && seen.read > ROUNDS / 50, JSON.stringify(seen));
});
