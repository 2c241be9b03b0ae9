import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { readOsvRecord } from '../../../core/scanning/osv-record.ts';
import { ScanError } from '../../../core/scanning/scanner.ts';
import { digestOf } from '../../../core/values/digest.ts';
import { inPieces, someArchive } from './layers/some-archive.ts';
import { debianRecords } from './some-records.ts';
import { VulnerabilityDatabase } from './vulnerabilities/vulnerability-database.ts';
import { createWorkerEngine } from './worker-engine.ts';

const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
const status = 'Package: libcurl4\nStatus: install ok installed\nSource: curl\nVersion: 7.88.1-10+deb12u7\n';

const layerOf = (marker: string) =>
  gzipSync(
    someArchive([
      { name: 'etc/os-release', bytes: 'ID=debian\nVERSION_ID="12"\n' },
      { name: 'etc/noise', bytes: randomBytes(100_000).toString('latin1') },
      { name: 'var/lib/dpkg/status', bytes: `${status}Description: ${marker}\n` },
    ]),
  );

async function opened() {
  const folder = await temporaryFolder();
  const databaseFile = join(folder.path, 'vulnerabilities.db');
  const engine = createWorkerEngine({ databaseFile });
  return {
    engine,
    databaseFile,
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('the engine on a thread of its own', () => {
  it('reads several layers at a time and matches them', async () => {
    await using given = await opened();
    const { engine, databaseFile } = given;
    const layers = await Promise.all(
      ['one', 'two', 'three'].map(async (marker) => {
        const bytes = await engine.readLayer({ mediaType, chunks: inPieces(layerOf(marker)) });
        return { digest: digestOf(Buffer.from(marker)), bytes };
      }),
    );
    const isMissing = (error: unknown) => error instanceof ScanError && error.code === 'no-database';
    await assert.rejects(engine.match(layers), isMissing);
    using database = new VulnerabilityDatabase(databaseFile);
    database.put(debianRecords().map((record) => readOsvRecord(record)!));
    const { findings, severityCounts, isEmpty } = await engine.match(layers);
    assert.deepEqual([severityCounts, isEmpty], [{ UNDEFINED: 2 }, false]);
    const report = await engine.unpack(findings);
    assert.equal(report.platform, 'DEBIAN_12');
    assert.deepEqual(
      report.findings.map(({ name }) => name),
      ['CVE-2024-8096', 'CVE-2025-10148'],
    );
    assert.ok(report.findings[0]?.modifiedAt instanceof Date);
  });

  it('says what is wrong with a layer, and asks for no more of it', async () => {
    await using given = await opened();
    let asked = 0;
    async function* endless() {
      for (;;) {
        asked += 1;
        yield new Uint8Array(1000).fill(asked);
      }
    }
    const reading = given.engine.readLayer({ mediaType, chunks: endless() });
    await assert.rejects(reading, (error) => error instanceof ScanError && error.code === 'corrupt-layer');
    assert.ok(asked < 10_000, `${asked} chunks`);
  });

  it('passes on what the bytes themselves come to, and goes on', async () => {
    await using given = await opened();
    async function* failing() {
      yield layerOf('x').subarray(0, 1000);
      throw new Error('The store is away');
    }
    await assert.rejects(given.engine.readLayer({ mediaType, chunks: failing() }), /The store is away/);
    const aborting = new AbortController();
    async function* aborted() {
      yield layerOf('x').subarray(0, 1000);
      aborting.abort(new Error('The server stops'));
      yield layerOf('x').subarray(1000);
    }
    const reading = given.engine.readLayer({ mediaType, chunks: aborted() }, aborting.signal);
    await assert.rejects(reading, /The server stops/);
    assert.ok(await given.engine.readLayer({ mediaType, chunks: inPieces(layerOf('y')) }));
  });

  const skip = process.getuid?.() === 0 && 'root may raise priorities';
  it('starts where the server has less priority than an ordinary user could give it back', { skip }, async () => {
    const module = JSON.stringify(new URL('./worker-engine.ts', import.meta.url).href);
    const script = `import(${module}).then(async ({ createWorkerEngine }) => {
      await using engine = createWorkerEngine({ databaseFile: undefined });
      console.log(await engine.data());
    })`;
    const words = ['-n', '15', process.execPath, '-e', script];
    const { stdout } = await promisify(execFile)('nice', words);
    assert.equal(stdout, 'undefined\n');
  });
});
