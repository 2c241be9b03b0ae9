import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { type Digest, digestOf } from '../../../core/values/digest.ts';
import { BlobPaths, digestAt, locationOf } from './paths.ts';

const paths = new BlobPaths('/data');
const id = randomUUID();
const digest = digestOf(Buffer.from('x'));

it('lays files out as drawn', () => {
  const hex = digest.slice('sha256:'.length);
  assert.equal(paths.staged(id), `/data/uploads/${id}`);
  assert.equal(locationOf(digest, id), `sha256/${hex.slice(0, 2)}/${hex}.${id}`);
  assert.equal(paths.sealed(locationOf(digest, id)), `/data/blobs/sha256/${hex.slice(0, 2)}/${hex}.${id}`);
});

it('reads the digest back from a location', () => {
  const long: Digest = `sha512:${'ab'.repeat(64)}`;
  assert.equal(digestAt(locationOf(digest, id)), digest);
  assert.equal(digestAt(locationOf(long, id)), long);
});

it('refuses upload ids that could lead elsewhere', () => {
  for (const bad of [
    '',
    '.',
    '..',
    '../x',
    `${id}/`,
    `../${id.slice(3)}`,
    `${id}x`,
    id.slice(1),
    `${id}\n`,
    '.ready',
  ]) {
    assert.throws(() => paths.staged(bad), TypeError, bad);
  }
});

it('refuses locations that could lead elsewhere', () => {
  const good = locationOf(digest, id);
  const hex = digest.slice('sha256:'.length);
  const bad = [
    '',
    '../uploads/x',
    `/${good}`,
    `${good}/`,
    `${good}\n`,
    good.toUpperCase(),
    good.replace('sha256', 'md5'),
    good.replace('sha256', 'sha512'),
    `sha256/zz/${hex}.${id}`,
    `sha256/${hex.slice(0, 2) === '00' ? '11' : '00'}/${hex}.${id}`,
    `sha256/../${hex}.${id}`,
    `sha256/${hex.slice(0, 2)}/${hex}`,
    `sha256/${hex.slice(0, 2)}/${hex}.../../..`,
  ];
  for (const location of bad) assert.throws(() => paths.sealed(location), TypeError, location);
});
