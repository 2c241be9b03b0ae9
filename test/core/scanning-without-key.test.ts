import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RefusedError } from '../../src/core/errors.ts';
import type { ScanEngine } from '../../src/core/scanning/scan-engine.ts';
import { scanImage } from '../../src/core/scanning/scan-image.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { call, coreUnderTest } from './core-under-test.ts';
import { pushedImage } from './manifests.ts';

/** Has a database, and reads what it is given. */
const engine = {
  inventoryFormat: 1,
  data: async () => ({ updatedAt: new Date(0), fingerprint: '' }),
  async readLayer({ chunks }) {
    for await (const _ of chunks) assert.fail('The layer was read');
    return new Uint8Array();
  },
} as Partial<ScanEngine> as ScanEngine;

it('ends a scan whose key cannot be used, and leaves one to be tried again whose key service does not answer', async () => {
  await using core = await coreUnderTest();
  const { digest } = await pushedImage(core, 'one', 'any', 'v1');
  await core.scanning.start(call, { repositoryName: 'one', imageId: { imageTag: 'v1' } });
  const { metadata, encryption } = core.dependencies;
  const repository = (await metadata.read.repositories.find(call.registry, 'one'))!;
  const image = (await metadata.read.images.find(repository.id, digest as Digest))!;
  const scan = (kmsError: string, reason: string) => {
    const bytes = () => Promise.reject(new RefusedError({ kind: 'kms', reason, kmsError }));
    const wanted = { repositoryId: repository.id, digest: digest as Digest, scanType: 'BASIC' } as const;
    const { signal } = new AbortController();
    return scanImage({ ...core.dependencies, encryption: { ...encryption, bytes } }, engine, wanted, { signal });
  };
  const found = () => metadata.read.scanning.find(image.id, 'BASIC');

  await assert.rejects(scan('DependencyTimeoutException', 'no answer'), /no answer/);
  assert.equal((await found())?.status, 'IN_PROGRESS');
  await scan('DisabledException', 'arn:aws:kms:x is disabled.');
  assert.partialDeepStrictEqual(await found(), { status: 'FAILED', description: 'arn:aws:kms:x is disabled.' });
});
