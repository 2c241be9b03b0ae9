import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { KeptBytes } from '../blob-store.ts';
import { RefusedError } from '../errors.ts';
import { KeyServiceError } from './key-service.ts';
import { keptRefusingKms } from './refusing-kms.ts';

const ID = '00000000-0000-4000-8000-000000000000';

it('gives all that a store of kept bytes may have, and has what the key service refuses in words of core', async () => {
  const refuse = () => Promise.reject(new KeyServiceError('DisabledException', 'the key is disabled'));
  const kept: Required<KeptBytes> = {
    appender: refuse,
    stagedBytes: refuse,
    digest: refuse,
    seal: refuse,
    truncate: refuse,
    followStaged: refuse,
    readStaged: refuse,
    stat: refuse,
    read: refuse,
    downloadUrl: refuse,
  };
  const refusing = keptRefusingKms(kept);
  for (const name of Object.keys(kept) as (keyof KeptBytes)[]) {
    const call = refusing[name] as (...given: unknown[]) => Promise<unknown>;
    await assert.rejects(call(ID, 0), RefusedError, name);
  }
  const { followStaged: _, readStaged: __, downloadUrl: ___, ...least } = kept;
  assert.deepEqual(Object.keys(keptRefusingKms(least)).sort(), Object.keys(least).sort());
});
