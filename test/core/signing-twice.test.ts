import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createSecretBox } from '../../src/core/access/secret-box.ts';
import type { CoreDependencies } from '../../src/core/dependencies.ts';
import { signaturesBeside } from '../../src/core/signing/profile-signatures.ts';
import { signImage } from '../../src/core/signing/sign-image.ts';
import { createSignerProfiles } from '../../src/core/signing/signer-profiles.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { call, coreUnderTest, registry } from './core-under-test.ts';
import { startActor } from './interleaving.ts';
import { pushedImage } from './manifests.ts';

const box = createSecretBox(randomBytes(32), randomBytes);
const signal = new AbortController().signal;

/**
 * A server that stalls in the middle of a signing is held for dead: another does the job meanwhile, or one for another
 * profile, and then it goes on.
 * @returns whether it got to its stall; how many signatures the image has
 */
async function stalled({ pauseAt, byAnother }: { pauseAt: number; byAnother: boolean }) {
  await using core = await coreUnderTest();
  const { dependencies } = core;
  const profiles = createSignerProfiles(dependencies, box);
  const { arn } = await profiles.create(registry, 'stalled', { keyType: 'ec-256', days: 10 });
  // Of another kind of key: to compare them is the way to an error of OpenSSL's that whoever comes next is given.
  const other = byAnother ? (await profiles.create(registry, 'other', { keyType: 'rsa-2048', days: 10 })).arn : arn;
  const digest = (await pushedImage(core, 'one', 'content')).digest as Digest;
  const { id: repositoryId = 0 } = (await dependencies.metadata.read.repositories.find(registry, 'one')) ?? {};
  const sign = (parts: CoreDependencies, profileArn: string) =>
    signImage(parts, { box }, { repositoryId, digest, profileArn }, signal);

  const first = startActor(dependencies, pauseAt, (parts) => sign(parts, arn));
  const isPaused = await first.paused;
  await sign(dependencies, other);
  await first.finish();
  const signatures = await Array.fromAsync(signaturesBeside(dependencies.metadata.read, { id: repositoryId }, digest));
  const { statuses } = await core.signing.imageStatuses(call, {
    repositoryName: 'one',
    imageId: { imageDigest: digest },
  });
  assert.deepEqual(new Set(statuses.map(({ status }) => status)), new Set(['COMPLETE']));
  return { isPaused, signatures: signatures.length };
}

for (const byAnother of [false, true]) {
  test(`a signing that stalls makes ${byAnother ? 'one beside that of another profile' : 'no second signature'}`, async () => {
    let pauseAt = 1;
    for (; ; pauseAt++) {
      const { isPaused, signatures } = await stalled({ pauseAt, byAnother });
      assert.equal(signatures, byAnother ? 2 : 1, `stalled before step ${pauseAt}`);
      if (!isPaused) break;
    }
    assert.ok(pauseAt > 10, `only ${pauseAt} steps`);
  });
}
