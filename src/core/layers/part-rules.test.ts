import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QUOTA_DEFAULTS } from '../quotas/quotas.ts';
import {
  afterPart,
  hasPartTooSmall,
  judgePart as judgeWithin,
  nextPartByte,
  PART_BYTES_MAX,
  PART_BYTES_MIN,
  type Part,
} from './part-rules.ts';
import type { Upload } from './upload-records.ts';

const judgePart = (upload: Upload, expectedFirstByte: number, part: Part) =>
  judgeWithin(upload, expectedFirstByte, part, QUOTA_DEFAULTS);
const { 'layer-parts': PARTS_MAX, 'layer-bytes': LAYER_BYTES_MAX } = QUOTA_DEFAULTS;

const now = new Date(0);
const fresh: Upload = {
  id: 'u',
  repositoryId: 1,
  parts: 0,
  bytes: 0,
  lastPartBytes: 0,
  createdAt: now,
  touchedAt: now,
};

const part = (firstByte: number, bytes: number) => ({ firstByte, lastByte: firstByte + bytes - 1, bytes });

function uploadOf(...sizes: number[]): Upload {
  let upload = fresh;
  for (const bytes of sizes) upload = { ...upload, ...afterPart(upload, part(upload.bytes, bytes), now) };
  return upload;
}

test('parts follow one another without gap or overlap', () => {
  const upload = uploadOf(PART_BYTES_MIN);
  assert.equal(judgePart(upload, nextPartByte(upload, 0, 0), part(PART_BYTES_MIN, 1)).verdict, 'accepted');
  for (const firstByte of [0, PART_BYTES_MIN - 1, PART_BYTES_MIN + 1]) {
    const judged = judgePart(upload, nextPartByte(upload, PART_BYTES_MIN, firstByte), part(firstByte, 1));
    assert.deepEqual(judged, {
      verdict: 'invalid',
      reason: `First byte of the layer part is ${firstByte} instead of ${PART_BYTES_MIN}`,
    });
  }
});

test('a part has the size it announces, and no more than 20 MiB', () => {
  assert.equal(judgePart(fresh, 0, { firstByte: 0, lastByte: 9, bytes: 9 }).verdict, 'invalid');
  assert.equal(judgePart(fresh, 0, { firstByte: 0, lastByte: -1, bytes: 0 }).verdict, 'invalid');
  assert.equal(judgePart(fresh, 0, part(0, PART_BYTES_MAX)).verdict, 'accepted');
  assert.equal(judgePart(fresh, 0, part(0, PART_BYTES_MAX + 1)).verdict, 'invalid');
});

test('the number of parts and the size of a layer have a limit', () => {
  assert.equal(judgePart({ ...fresh, parts: PARTS_MAX, bytes: 5 }, 5, part(5, 1)).verdict, 'limit-exceeded');
  assert.equal(judgePart({ ...fresh, parts: PARTS_MAX - 1, bytes: 5 }, 5, part(5, 1)).verdict, 'accepted');
  const full = { ...fresh, parts: 1, bytes: LAYER_BYTES_MAX };
  assert.equal(judgePart(full, LAYER_BYTES_MAX, part(LAYER_BYTES_MAX, 1)).verdict, 'limit-exceeded');
});

test('every part but the last has at least 5 MiB', () => {
  assert.equal(hasPartTooSmall(uploadOf(1)), false);
  assert.equal(hasPartTooSmall(uploadOf(PART_BYTES_MIN, 1)), false);
  assert.equal(hasPartTooSmall(uploadOf(PART_BYTES_MIN - 1, 1)), true);
  assert.equal(hasPartTooSmall(uploadOf(1, PART_BYTES_MIN, 1)), true);
  assert.equal(hasPartTooSmall(uploadOf(PART_BYTES_MIN, 1, PART_BYTES_MIN)), true);
});

test('without parts, streamed bytes count, unless a first part starts over', () => {
  assert.equal(nextPartByte(fresh, 700, 700), 700);
  assert.equal(nextPartByte(fresh, 700, 0), 0);
  assert.equal(nextPartByte(fresh, 700, 5), 700);
  assert.equal(nextPartByte(uploadOf(10), 700, 0), 10);
});
