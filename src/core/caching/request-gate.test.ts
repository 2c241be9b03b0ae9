import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRequestGate } from './request-gate.ts';

describe('the gate before a host', () => {
  it('lets who has waited long enough leave the line, and nobody lose a place by it', async () => {
    const gate = createRequestGate({ atOnceMax: 1, waitingMax: 2 }, () => new Error('full'));
    const first = Promise.withResolvers<void>();
    const patience = new AbortController();
    const running = gate.run(() => first.promise);
    const impatient = gate.run(async () => 'second', patience.signal);
    const patient = gate.run(async () => 'third');
    await assert.rejects(
      gate.run(async () => 'fourth'),
      /full/,
    );
    patience.abort(new Error('too long'));
    await assert.rejects(impatient, /too long/);
    first.resolve();
    await running;
    assert.equal(await patient, 'third');
    assert.equal(await gate.run(async () => 'fifth'), 'fifth');
  });
});
