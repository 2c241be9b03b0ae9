import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { KeyServiceError } from '../../src/core/encryption/key-service.ts';
import { createMasterKeys } from '../../src/core/encryption/master-keys.ts';
import { keptRefusingKms } from '../../src/core/encryption/refusing-kms.ts';
import { RefusedError } from '../../src/core/errors.ts';
import { collectGarbage } from '../../src/core/garbage/collect-garbage.ts';
import { verifyStore } from '../../src/core/garbage/verify-store.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { openFilesystemBlobStore } from '../../src/drivers/blobs/filesystem/filesystem-blob-store.ts';
import { blobOf } from '../support/images.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import {
  accountId,
  type CoreUnderTest,
  call,
  coreUnderTest,
  partsOver,
  pushLayer,
  readLayer,
  refusalOf,
  registry,
  stage,
} from './core-under-test.ts';
import { kmsKeysOver, localEncryption } from './local-encryption.ts';
import { imageManifest } from './manifests.ts';

const KMS = { encryptionType: 'KMS' } as const;
const MARK = 'these words must not be found on the disk';

/** What was refused, in one line; undefined when nothing was. */
async function kmsErrorOf(work: Promise<unknown>): Promise<string | undefined> {
  const outcome = await refusalOf(work);
  if (!('refusal' in outcome)) return undefined;
  return outcome.refusal.kind === 'kms' ? outcome.refusal.kmsError : outcome.refusal.kind;
}

/** Core with the repository `secret`, which is encrypted under a key of its own. */
async function secretWorld(core: CoreUnderTest) {
  const keys = kmsKeysOver(core.dependencies);
  const key = await keys.create(registry, { alias: 'alias/secret' });
  await core.repositories.create(call, { repositoryName: 'secret', encryption: { ...KMS, kmsKey: key.arn } });
  return { keys, key };
}

/** What everything that needs the key of the repository `secret` is refused with. */
async function refusals(core: CoreUnderTest, upload: { repositoryName: string; uploadId: string }, digest: string) {
  const repositoryName = 'secret';
  const { uploads, images, layers, links } = core;
  const manifest = imageManifest(blobOf('{}'), []).bytes;
  const [chunk] = [new Uint8Array(6 * 1024 * 1024)];
  const part = { ...upload, firstByte: 0, lastByte: chunk.length - 1, chunks: [chunk], bytes: chunk.length };
  const work: Record<string, () => Promise<unknown>> = {
    initiate: () => uploads.initiate(call, { repositoryName }),
    append: async () => (await uploads.append(call, upload)).close(),
    uploadPart: () => uploads.uploadPart(call, part),
    complete: () => uploads.complete(call, { ...upload, digests: [digest] }),
    finish: () => uploads.finish(call, { ...upload, digest: digest as Digest }),
    mount: () => uploads.mount(call, { repositoryName, from: 'one', digest: digest as Digest }),
    put: () => images.put(call, { repositoryName, manifest }),
    open: () => layers.open(call, { repositoryName, digest }),
    link: () => links.create(call, { repositoryName, digest }),
    create: () =>
      core.repositories.create(call, { repositoryName: 'other', encryption: { ...KMS, kmsKey: 'alias/secret' } }),
  };
  const refused: Record<string, string | undefined> = {};
  for (const [name, each] of Object.entries(work)) refused[name] = await kmsErrorOf(each());
  return refused;
}

it('names the key of a repository by its ARN, however it was asked for', async () => {
  await using core = await coreUnderTest();
  const { key } = await secretWorld(core);
  const id = key.arn.split('/')[1]!;
  assert.match(key.arn, /^arn:aws:kms:us-east-1:111122223333:key\/[0-9a-f-]{36}$/);
  const named = [id, key.arn, 'alias/secret', `arn:aws:kms:us-east-1:${accountId}:alias/secret`];
  for (const [index, kmsKey] of named.entries()) {
    const made = await core.repositories.create(call, { repositoryName: `r${index}`, encryption: { ...KMS, kmsKey } });
    assert.deepEqual(made.encryption, { ...KMS, kmsKey: key.arn });
  }
});

it("makes the registry's own key for those that name none, once", async () => {
  await using core = await coreUnderTest();
  const make = (repositoryName: string) => core.repositories.create(call, { repositoryName, encryption: KMS });
  const made = await Promise.all(['aa', 'bb', 'cc'].map(make));
  const keys = await kmsKeysOver(core.dependencies).list(registry);
  assert.deepEqual(
    keys.map(({ alias }) => alias),
    ['alias/aws/ecr'],
  );
  assert.deepEqual(
    made.map(({ encryption }) => encryption.kmsKey),
    Array(3).fill(keys[0]?.arn),
  );
});

it('refuses keys that are unknown, elsewhere, of others or not usable', async () => {
  await using core = await coreUnderTest();
  const { keys, key } = await secretWorld(core);
  const create = (kmsKey: string) =>
    kmsErrorOf(core.repositories.create(call, { repositoryName: 'new', encryption: { ...KMS, kmsKey } }));
  assert.equal(await create('alias/none'), 'NotFoundException');
  assert.equal(await create('nonsense:'), 'NotFoundException');
  assert.equal(await create(key.arn.replace('us-east-1', 'eu-west-1')), 'NotFoundException');
  assert.equal(await create(key.arn.replace(accountId, '999988887777')), 'AccessDeniedException');
  await keys.disable(registry, key.arn);
  assert.equal(await create(key.arn), 'DisabledException');
  await keys.scheduleDeletion(registry, key.arn, 7);
  assert.equal(await create(key.arn), 'KMSInvalidStateException');
});

it('keeps nothing of a layer plain, in one or two layers of encryption', async () => {
  await using folder = await temporaryFolder('gantry-encryption-');
  await using blobs = await openFilesystemBlobStore({ directory: folder.path, workers: 1 });
  await using core = await coreUnderTest();
  const dependencies = { ...core.dependencies, blobs };
  const parts = partsOver({ ...dependencies, encryption: localEncryption(dependencies) });
  await using _ = parts.caching;
  for (const encryptionType of ['KMS', 'KMS_DSSE'] as const) {
    const repositoryName = encryptionType.toLowerCase();
    await parts.repositories.create(call, { repositoryName, encryption: { encryptionType } });
    const content = Buffer.concat([Buffer.from(MARK), randomBytes(200_000), Buffer.from(MARK)]);
    const { digest } = await pushLayer(parts, repositoryName, content);
    assert.ok(content.equals((await readLayer(parts, repositoryName, digest))!));
  }
  for (const name of await readdir(folder.path, { recursive: true, withFileTypes: true })) {
    if (name.isFile()) assert.ok(!(await readFile(join(name.parentPath, name.name))).includes(MARK), name.name);
  }
});

it('refuses everything that needs a key while it cannot be used, and goes on once it can', async () => {
  await using core = await coreUnderTest();
  const { keys, key } = await secretWorld(core);
  const { digest } = await pushLayer(core, 'secret', 'a layer');
  const upload = await stage(core, 'secret', Buffer.from('half of a layer'));
  const all = async () => new Set(Object.values(await refusals(core, upload, digest)));
  await keys.disable(registry, key.arn);
  assert.deepEqual(await all(), new Set(['DisabledException']));
  await keys.scheduleDeletion(registry, 'alias/secret', 7);
  assert.deepEqual(await all(), new Set(['KMSInvalidStateException']));
  await keys.cancelDeletion(registry, key.arn);
  await keys.enable(registry, key.arn);
  assert.equal(String(await readLayer(core, 'secret', digest)), 'a layer');
  const half = blobOf('half of a layer');
  await core.uploads.finish(call, { ...upload, digest: half.digest as Digest });
  assert.equal(String(await readLayer(core, 'secret', half.digest)), 'half of a layer');
});

it('fails each image of a batch with KmsError, and a pull by reference with the refusal', async () => {
  await using core = await coreUnderTest();
  const { keys, key } = await secretWorld(core);
  const config = await pushLayer(core, 'secret', '{}');
  const manifest = imageManifest(config, []);
  await core.images.put(call, { repositoryName: 'secret', manifest: manifest.bytes, tag: 'v1' });
  await keys.disable(registry, key.arn);
  const imageIds = [{ imageTag: 'v1' }, { imageTag: 'none' }];
  const { images, failures } = await core.images.getMany(call, { repositoryName: 'secret', imageIds });
  assert.deepEqual(images, []);
  assert.deepEqual(
    failures.map(({ imageId, code }) => [imageId.imageTag, code]),
    [
      ['v1', 'KmsError'],
      ['none', 'ImageNotFound'],
    ],
  );
  const get = { repositoryName: 'secret', reference: { tag: 'v1' } };
  assert.equal(await kmsErrorOf(core.images.getManifest(call, get)), 'DisabledException');
  assert.equal((await core.images.getManifest(call, { ...get, isLook: true })).digest, manifest.digest);
  await core.repositories.delete(call, { repositoryName: 'secret', force: true });
});

it('shares bytes and mounts between repositories of one key alone', async () => {
  await using core = await coreUnderTest();
  const { keys, key } = await secretWorld(core);
  const other = await keys.create(registry, {});
  const create = (repositoryName: string, encryptionType: 'KMS' | 'KMS_DSSE', kmsKey: string) =>
    core.repositories.create(call, { repositoryName, encryption: { encryptionType, kmsKey } });
  await create('same', 'KMS', key.arn);
  await create('dsse', 'KMS_DSSE', key.arn);
  await create('other', 'KMS', other.arn);
  const { digest } = await pushLayer(core, 'secret', 'shared?');
  const mount = (repositoryName: string, from: string) =>
    core.uploads.mount(call, { repositoryName, from, digest: digest as Digest });
  assert.equal(await mount('same', 'secret'), true);
  for (const repositoryName of ['dsse', 'other', 'one']) assert.equal(await mount(repositoryName, 'secret'), false);
  for (const repositoryName of ['dsse', 'other', 'one', 'two']) await pushLayer(core, repositoryName, 'shared?');
  const { blobs } = core.dependencies;
  assert.equal((await Array.fromAsync(blobs.list())).length, 4);
  for (const name of ['secret', 'same', 'dsse', 'other', 'one', 'two']) {
    assert.equal(String(await readLayer(core, name, digest)), 'shared?', name);
  }
});

it('mounts nothing into a repository that has taken the name of another under another key meanwhile', async () => {
  await using core = await coreUnderTest();
  const { keys, key } = await secretWorld(core);
  const other = await keys.create(registry, {});
  const create = (kmsKey: string) =>
    core.repositories.create(call, { repositoryName: 'target', encryption: { ...KMS, kmsKey } });
  await create(key.arn);
  const { digest } = await pushLayer(core, 'secret', 'of the first key');
  const { metadata } = core.dependencies;
  const replacing = new Proxy(metadata, {
    get(target, name: keyof typeof metadata) {
      if (name !== 'transaction') return Reflect.get(target, name);
      return async (...given: Parameters<typeof metadata.transaction>) => {
        await core.repositories.delete(call, { repositoryName: 'target', force: false });
        await create(other.arn);
        return metadata.transaction(...given);
      };
    },
  });
  const { uploads } = partsOver({ ...core.dependencies, metadata: replacing });
  const mounting = uploads.mount(call, { repositoryName: 'target', from: 'secret', digest: digest as Digest });
  assert.equal(await kmsErrorOf(mounting), 'repository-not-found');
  assert.equal(await readLayer(core, 'target', digest), undefined);
});

it('encrypts under the master key from when there is one, and reads under older ones', async () => {
  await using core = await coreUnderTest();
  const [older, newer] = [randomBytes(32), randomBytes(32)];
  const withKeys = (...masterKeys: Buffer[]) =>
    partsOver({ ...core.dependencies, encryption: localEncryption(core.dependencies, masterKeys) });
  const plain = await pushLayer(core, 'one', 'plain');
  const old = await pushLayer(withKeys(older), 'one', 'older');
  const rotated = withKeys(newer, older);
  const young = await pushLayer(rotated, 'one', 'newer');
  for (const [blob, content] of [
    [plain, 'plain'],
    [old, 'older'],
    [young, 'newer'],
  ] as const) {
    assert.equal(String(await readLayer(rotated, 'one', blob.digest)), content);
  }
  const open = (parts: typeof rotated, digest: string) => parts.layers.open(call, { repositoryName: 'one', digest });
  assert.equal(await kmsErrorOf(open(withKeys(newer), old.digest)), 'NotFoundException');
  assert.equal(await kmsErrorOf(open(withKeys(), young.digest)), 'NotFoundException');
  const records = await core.dependencies.metadata.read.blobs.page(0, 10);
  assert.deepEqual(
    records.map(({ protection }) => protection?.kind),
    [undefined, 'data-key', 'data-key'],
  );
  await pushLayer(rotated, 'two', 'plain');
  assert.equal((await core.dependencies.metadata.read.blobs.page(0, 10)).length, 3);
});

it('says which blobs could not be verified without their key, and calls those alone broken that are', async () => {
  await using core = await coreUnderTest();
  const { keys, key } = await secretWorld(core);
  for (const content of ['whole', 'sound']) await pushLayer(core, 'secret', content);
  const lost = await pushLayer(core, 'secret', 'lost');
  assert.deepEqual((await verifyStore(core.dependencies)).problems, []);
  const { blobs, metadata } = core.dependencies;
  const record = (await metadata.read.blobs.page(0, 10)).find(({ digest }) => digest === lost.digest);
  await blobs.delete(record!.location);
  await keys.disable(registry, key.arn);
  const { problems, unverified } = await verifyStore(core.dependencies);
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, new RegExp(`${lost.digest}.* is missing`));
  const reason = `${key.arn} is disabled; gantry kms enable makes it usable again`;
  const told = { reason, registry: `${accountId}/us-east-1`, blobs: 2, repositoryNames: ['secret'] };
  assert.deepEqual(unverified, [told]);
});

it('waits once for a key service that does not answer, however many blobs are to be verified', async () => {
  await using core = await coreUnderTest();
  const { keys } = await secretWorld(core);
  const other = await keys.create(registry, {});
  await core.repositories.create(call, { repositoryName: 'other', encryption: { ...KMS, kmsKey: other.arn } });
  for (const repositoryName of ['secret', 'other']) {
    for (const content of ['a', 'b']) await pushLayer(core, repositoryName, content);
  }
  await pushLayer(core, 'one', 'plain');
  let asked = 0;
  const silent = async () => {
    asked += 1;
    throw new RefusedError({ kind: 'kms', reason: 'no answer', kmsError: 'DependencyTimeoutException' });
  };
  const { blobs, encryption } = core.dependencies;
  const bytes: typeof encryption.bytes = async (protection) => (protection ? silent() : blobs);
  const found = await verifyStore({ ...core.dependencies, encryption: { ...encryption, bytes } });
  assert.equal(asked, 1);
  const told = { reason: 'no answer', registry: `${accountId}/us-east-1`, blobs: 4 };
  assert.deepEqual([found.problems, found.blobs], [[], 5]);
  assert.deepEqual(found.unverified, [{ ...told, repositoryNames: ['other', 'secret'] }]);
});

it('calls no blob broken that a store refuses to read for its key', async () => {
  await using core = await coreUnderTest();
  await pushLayer(core, 'one', 'whole');
  const { blobs, encryption } = core.dependencies;
  const read = () => Promise.reject(new KeyServiceError('DisabledException', 'the key is disabled'));
  const refusing = keptRefusingKms({ ...blobs, read });
  const { problems, unverified } = await verifyStore({
    ...core.dependencies,
    encryption: { ...encryption, bytes: async () => refusing },
  });
  assert.deepEqual(problems, []);
  const told = { reason: 'the key is disabled', registry: `${accountId}/us-east-1`, blobs: 1 };
  assert.deepEqual(unverified, [{ ...told, repositoryNames: ['one'] }]);
});

it('refuses a data key that the master key did not seal for its upload', async () => {
  const masterKeys = createMasterKeys([randomBytes(32)], randomBytes);
  const wrapped = masterKeys.wrap(randomBytes(32), 'one upload');
  const unwrapped = async (uploadId: string) => masterKeys.unwrap(masterKeys.currentId ?? '', wrapped, uploadId);
  assert.equal((await unwrapped('one upload')).byteLength, 32);
  assert.equal(await kmsErrorOf(unwrapped('another')), 'InvalidCiphertextException');
});

it('destroys a key when its waiting period is over, and not before', async () => {
  await using core = await coreUnderTest();
  const { keys, key } = await secretWorld(core);
  await pushLayer(core, 'secret', 'gone with its key');
  await keys.scheduleDeletion(registry, key.arn, 7);
  core.pass(7 * 24 * 3600 - 1);
  await collectGarbage(core.dependencies);
  assert.equal((await keys.find(registry, key.arn))?.state, 'PendingDeletion');
  core.pass(1);
  const open = () => kmsErrorOf(core.uploads.initiate(call, { repositoryName: 'secret' }));
  assert.equal(await open(), 'NotFoundException', 'over, though not collected yet');
  await assert.rejects(keys.cancelDeletion(registry, key.arn), /There is no key/);
  await collectGarbage(core.dependencies);
  assert.equal(await keys.find(registry, key.arn), undefined);
  assert.equal(await open(), 'NotFoundException');
  await core.repositories.delete(call, { repositoryName: 'secret', force: true });
});

it('gives a repository that a template makes its key, and makes none while the key cannot be used', async () => {
  await using core = await coreUnderTest();
  const { keys, key } = await secretWorld(core);
  const encryption = { ...KMS, kmsKey: key.arn };
  await core.creationTemplates.create(call, { prefix: 'team', appliedFor: ['CREATE_ON_PUSH'], encryption });
  const initiate = (repositoryName: string) => core.uploads.initiate(call, { repositoryName, createOnPush: true });
  await initiate('team/app');
  assert.deepEqual((await core.repositories.get(call, 'team/app')).encryption, encryption);
  await keys.disable(registry, key.arn);
  assert.equal(await kmsErrorOf(initiate('team/other')), 'DisabledException');
  assert.equal(await kmsErrorOf(core.repositories.get(call, 'team/other')), 'repository-not-found');
});
