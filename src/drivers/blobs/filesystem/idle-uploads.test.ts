import assert from 'node:assert/strict';
import { it } from 'node:test';
import { IdleUploads, type UploadMemory } from './idle-uploads.ts';
import { MainLane } from './main-lane.ts';
import type { StagedFacts } from './staged-facts.ts';

function factsOf(bytes: number): StagedFacts {
  return { bytes, version: `1:${bytes}:1` };
}

function memoryOf(bytes: number): UploadMemory & { readonly lane: MainLane } {
  return { facts: factsOf(bytes), lane: new MainLane(0), bytesSynced: false, nameSynced: false };
}

it('forgets the upload that was idle longest, and its hash', () => {
  const idle = new IdleUploads(2);
  const first = memoryOf(0);
  idle.remember('a', first);
  idle.remember('b', memoryOf(0));
  idle.remember('c', memoryOf(0));
  assert.equal(idle.count, 2);
  assert.equal(idle.peek('a', factsOf(0)), undefined);
  assert.equal(first.lane.hashedBytes, undefined);
  assert.ok(idle.peek('b', factsOf(0)));
  idle.remember('b', memoryOf(5));
  idle.remember('d', memoryOf(0));
  assert.equal(idle.peek('c', factsOf(0)), undefined);
  assert.ok(idle.peek('b', factsOf(5)));
});

it('hands an upload out once, and only at the size it was remembered with', () => {
  const idle = new IdleUploads(2);
  const memory = memoryOf(7);
  idle.remember('a', memory);
  assert.equal(idle.take('a', factsOf(7)), memory);
  assert.equal(memory.lane.hashedBytes, 0);
  assert.equal(idle.take('a', factsOf(7)), undefined);
  const stale = memoryOf(7);
  idle.remember('a', stale);
  assert.equal(idle.take('a', factsOf(8)), undefined);
  assert.equal(stale.lane.hashedBytes, undefined);
  assert.equal(idle.count, 0);
});
