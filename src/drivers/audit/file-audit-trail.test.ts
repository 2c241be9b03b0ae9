import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { AuditEntry } from '../../core/audit/audit-trail.ts';
import { createFileAuditTrail } from './file-audit-trail.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gantry-audit-'));
  file = join(folder, 'audit.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const entryOf = (requestId: string, requestParameters: Record<string, unknown> = {}): AuditEntry => ({
  at: new Date('2026-11-22T05:37:13Z'),
  requestId,
  eventName: 'ListImages',
  eventSource: 'ecr.amazonaws.com',
  caller: undefined,
  registry: undefined,
  sourceIp: '192.0.2.1',
  userAgent: undefined,
  resources: [],
  requestParameters,
  decision: undefined,
});

interface Line {
  readonly requestID?: string;
  readonly eventID?: string;
  readonly gantryLostEntries?: number;
}

const linesOf = (path: string): Line[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
const idsOf = (path: string) => linesOf(path).map(({ requestID }) => requestID);

const sizes = { bytesMax: 1_000_000, filesMax: 3 };
const names = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `r${from + at}`);

describe('the audit trail in a file', () => {
  it('writes what waits when it is closed, a line an entry, for its owner alone', async () => {
    {
      await using trail = createFileAuditTrail({ file: join(folder, 'deep', 'audit.jsonl'), ...sizes });
      for (const name of names(1, 3)) trail.record(entryOf(name, { text: 'two\nlines' }));
    }
    const path = join(folder, 'deep', 'audit.jsonl');
    assert.deepEqual(idsOf(path), names(1, 3));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(new Set(linesOf(path).map(({ eventID }) => eventID)).size, 3);
  });

  it('adds to the file that is there', async () => {
    for (const name of names(1, 2)) {
      await using trail = createFileAuditTrail({ file, ...sizes });
      trail.record(entryOf(name));
    }
    assert.deepEqual(idsOf(file), names(1, 2));
  });

  it('writes by itself within a moment', async () => {
    await using trail = createFileAuditTrail({ file, ...sizes });
    trail.record(entryOf('r1'));
    while (readdirSync(folder).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('sets a full file aside and keeps no more of them than it was told', async () => {
    {
      await using trail = createFileAuditTrail({ file, bytesMax: 10, filesMax: 3 });
      for (const name of names(1, 5)) trail.record(entryOf(name));
    }
    assert.deepEqual(readdirSync(folder), ['audit.jsonl', 'audit.jsonl.1', 'audit.jsonl.2']);
    assert.deepEqual(
      ['audit.jsonl.2', 'audit.jsonl.1', 'audit.jsonl'].flatMap((name) => idsOf(join(folder, name))),
      ['r3', 'r4', 'r5'],
    );
  });

  it('fills files as far as they go, whatever comes at once', async () => {
    {
      await using trail = createFileAuditTrail({ file, bytesMax: 5000, filesMax: 100 });
      for (const name of names(1, 100)) trail.record(entryOf(name));
    }
    const files = readdirSync(folder);
    const byAge = files.toSorted((one, other) => numberOf(other) - numberOf(one));
    assert.deepEqual(
      byAge.flatMap((name) => idsOf(join(folder, name))),
      names(1, 100),
    );
    for (const name of byAge.slice(0, -1)) {
      const { size } = statSync(join(folder, name));
      assert.ok(size <= 5000 && size > 4000, `${name}: ${size}`);
    }
  });

  it('begins a new file when somebody moved it away', async () => {
    const trail = createFileAuditTrail({ file, ...sizes });
    trail.record(entryOf('r1'));
    await trail[Symbol.asyncDispose]();
    rmSync(file);
    trail.record(entryOf('r2'));
    await trail[Symbol.asyncDispose]();
    assert.deepEqual(idsOf(file), ['r2']);
  });

  it('goes on after a time in which it could not be written', async () => {
    const errors: unknown[] = [];
    const trail = createFileAuditTrail({ file, ...sizes, onError: (error) => errors.push(error) });
    mkdirSync(file);
    for (const name of names(1, 2)) {
      trail.record(entryOf(name));
      await trail[Symbol.asyncDispose]();
    }
    assert.equal(errors.length, 1, 'told once');
    rmSync(file, { recursive: true });
    writeFileSync(file, '{"requestID":"r0"}\n{"half a li');
    chmodSync(file, 0o600);
    trail.record(entryOf('r3'));
    await trail[Symbol.asyncDispose]();
    const [first, half, ...rest] = readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.deepEqual([first, half], ['{"requestID":"r0"}', '{"half a li']);
    assert.deepEqual(
      rest.map((line) => (JSON.parse(line) as Line).requestID),
      names(1, 3),
    );
  });

  it('keeps a bounded number waiting and tells how many it lost', async () => {
    const trail = createFileAuditTrail({ file, bytesMax: 1e9, filesMax: 1 });
    mkdirSync(file);
    const text = 'x'.repeat(4000);
    const count = 6000;
    for (let at = 0; at < count; at += 1) trail.record(entryOf(`r${at}`, { text }));
    await trail[Symbol.asyncDispose]();
    rmSync(file, { recursive: true });
    await trail[Symbol.asyncDispose]();
    const lines = linesOf(file);
    const lost = lines.at(-1)?.gantryLostEntries ?? 0;
    assert.ok(lost > 1000, `${lost} lost`);
    assert.equal(lines.length - 1 + lost, count);
    assert.ok(statSync(file).size < 17 * 1024 * 1024);
  });
});

function numberOf(name: string): number {
  return Number(/\.([0-9]+)$/.exec(name)?.[1] ?? 0);
}
