import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { secondsAfter } from '../dependencies.ts';
import type { Digest } from '../values/digest.ts';
import { describeGate, evaluateGate, type Weighed, type WeighedFinding } from './evaluate-gate.ts';
import type { Gate, GatedImage, GateException } from './gate-records.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const hoursAgo = (hours: number) => secondsAfter(NOW, -hours * 3600);
const DIGEST = `sha256:${'a'.repeat(64)}` as Digest;
const OTHER = `sha256:${'b'.repeat(64)}` as Digest;

const gate = (changes: Partial<Gate>): Gate => ({
  repositoryId: 1,
  requiresScan: false,
  graceSeconds: 0,
  isDryRun: false,
  author: 'operator:ann',
  updatedAt: NOW,
  ...changes,
});
const finding = (name: string, changes: Partial<WeighedFinding> = {}): WeighedFinding => ({
  name,
  aliases: [],
  recordId: `DEBIAN-${name}`,
  severity: 'HIGH',
  ...changes,
});
const scanned = (pushed: number, completed: number): GatedImage => ({
  imageId: 1,
  pushedAt: hoursAgo(pushed),
  scan: { status: 'COMPLETE', result: { completedAt: hoursAgo(completed), severityCounts: {} } },
});
const weighed = (changes: Partial<Weighed> = {}): Weighed => ({
  digest: DIGEST,
  isRunnable: true,
  image: scanned(100, 99),
  findings: [],
  severitiesSince: {},
  ...changes,
});
const exception = (changes: Partial<GateException>): GateException => ({
  repositoryId: 1,
  until: secondsAfter(NOW, 1),
  reason: 'why',
  author: 'operator:ann',
  createdAt: NOW,
  ...changes,
});
const outcome = (...[asked, exceptions, given]: [Partial<Gate>, GateException[], Partial<Weighed>?]) =>
  evaluateGate(gate(asked), exceptions, weighed(given), NOW).outcome;

describe('a gate', () => {
  it('refuses findings, and counts its grace from the push or their first sight, whatever was later', () => {
    const findings = [finding('CVE-1')];
    assert.equal(outcome({ severity: 'HIGH' }, []), 'passed');
    assert.equal(outcome({ severity: 'HIGH' }, [], { findings }), 'refused');
    assert.equal(outcome({ severity: 'HIGH' }, [], { findings, isRunnable: false }), 'passed');
    const graceSeconds = 72 * 3600;
    const seen = (hours: number, image = scanned(100, 1)) =>
      outcome({ severity: 'HIGH', graceSeconds }, [], { findings, image, severitiesSince: { HIGH: hoursAgo(hours) } });
    assert.deepEqual([seen(71), seen(72), seen(99)], ['in-grace', 'refused', 'refused']);
    assert.equal(seen(99, scanned(71, 1)), 'in-grace', 'pushed later');
    assert.equal(seen(99, { ...scanned(100, 1), activatedAt: hoursAgo(71) }), 'in-grace', 'restored later');
    const mixed = [finding('CVE-1'), finding('CVE-2', { severity: 'CRITICAL' })];
    const severitiesSince = { HIGH: hoursAgo(99), CRITICAL: hoursAgo(1) };
    assert.equal(outcome({ severity: 'HIGH', graceSeconds }, [], { findings: mixed, severitiesSince }), 'refused');
  });

  it('ends a time of grace with the first of what it misses', () => {
    const image = scanned(10, 1);
    const given = {
      image,
      findings: [finding('CVE-1')],
      severitiesSince: { HIGH: hoursAgo(1) },
      unsignedBecause: 'no',
    };
    const asked = gate({ severity: 'HIGH', signedBy: 'arn', graceSeconds: 12 * 3600 });
    const { outcome: decided, until } = evaluateGate(asked, [], weighed(given), NOW);
    assert.deepEqual([decided, until], ['in-grace', secondsAfter(NOW, 2 * 3600)]);
  });

  it('refuses what was never scanned, also while it is on its way, but no index', () => {
    assert.equal(outcome({ requiresScan: true }, []), 'passed');
    const { scan: _, ...unscanned } = scanned(1, 1);
    assert.equal(outcome({ requiresScan: true }, [], { image: unscanned }), 'refused');
    assert.equal(outcome({ requiresScan: true }, [], { image: unscanned, isRunnable: false }), 'passed');
    assert.equal(outcome({ requiresScan: true }, [], { image: undefined }), 'refused');
    assert.equal(outcome({ requiresScan: true, graceSeconds: 60 }, [], { image: undefined }), 'in-grace');
    const failed: GatedImage = { ...unscanned, scan: { status: 'FAILED', description: 'No database.' } };
    const { reasons } = evaluateGate(gate({ requiresScan: true }), [], weighed({ image: failed }), NOW);
    assert.deepEqual(reasons, ['it was never scanned (FAILED: No database)']);
  });

  it('refuses what is not signed, an index too', () => {
    assert.equal(outcome({ signedBy: 'arn' }, []), 'passed');
    assert.equal(outcome({ signedBy: 'arn' }, [], { unsignedBecause: 'no', isRunnable: false }), 'refused');
  });

  it('lets pass what is excepted until then, by any name of a finding', () => {
    const findings = [finding('CVE-1', { aliases: ['GHSA-1'] })];
    const decided = (...exceptions: GateException[]) => outcome({ severity: 'HIGH' }, exceptions, { findings });
    for (const cve of ['CVE-1', 'GHSA-1', 'DEBIAN-CVE-1']) assert.equal(decided(exception({ cve })), 'excepted');
    assert.equal(decided(exception({ cve: 'CVE-2' })), 'refused');
    assert.equal(decided(exception({ cve: 'CVE-1', until: NOW })), 'refused');
    assert.equal(decided(exception({ cve: 'CVE-1', digest: OTHER })), 'refused');
    assert.equal(decided(exception({ cve: 'CVE-1', digest: DIGEST })), 'excepted');
    assert.equal(decided(exception({ digest: OTHER })), 'refused');
    assert.equal(decided(exception({ digest: DIGEST })), 'excepted');
    const unsigned = { findings, unsignedBecause: 'no' };
    assert.equal(outcome({ severity: 'HIGH', signedBy: 'a' }, [exception({ cve: 'CVE-1' })], unsigned), 'refused');
    assert.equal(outcome({ severity: 'HIGH', signedBy: 'a' }, [exception({ digest: DIGEST })], unsigned), 'excepted');
  });

  it('says what it asks, and names a few findings', () => {
    const asked = gate({ severity: 'LOW', requiresScan: true, signedBy: 'arn', graceSeconds: 5, isDryRun: true });
    const words = 'no findings of LOW or above, scanned, signed by arn; grace of 5 seconds; dry run';
    assert.equal(describeGate(asked), words);
    const findings = [1, 1, 2, 3, 4, 5, 6, 7].map((number) => finding(`CVE-${number}`));
    const { reasons } = evaluateGate(gate({ severity: 'HIGH' }), [], weighed({ findings }), NOW);
    assert.deepEqual(reasons, ['it has findings of HIGH or above: CVE-1, CVE-2, CVE-3, CVE-4, CVE-5 and 2 more']);
  });
});
