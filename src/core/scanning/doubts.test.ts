import assert from 'node:assert/strict';
import { it } from 'node:test';
import { doubtsOf } from './doubts.ts';
import type { ImageInventory } from './inventory.ts';

it('an image whose packages nobody can judge is not taken for sound', () => {
  const bash = { type: 'dpkg', name: 'bash', version: '5', path: 'var/lib/dpkg/status' } as const;
  const image = (id: string | undefined, packages: ImageInventory['packages'] = [bash]): ImageInventory => ({
    ...(id !== undefined && { osRelease: { id, versionId: '12' } }),
    packages,
    unread: [],
  });
  const knows = (ecosystem: string) => ecosystem === 'Debian:12';
  assert.deepEqual(doubtsOf(image('debian'), knows), []);
  assert.match(doubtsOf(image('alpine'), knows)[0] ?? '', /packages of alpine/);
  assert.match(
    doubtsOf(image('rocky'), knows)[0] ?? '',
    /no records of Rocky Linux:12, of which the image has 1 packages/,
  );
  assert.match(doubtsOf(image(undefined), knows)[0] ?? '', /without os-release/);
  assert.deepEqual(doubtsOf(image(undefined, []), knows), []);
  assert.deepEqual(doubtsOf({ packages: [], unread: [{ path: 'a.jar', reason: 'broken' }] }, knows), ['a.jar: broken']);
});
