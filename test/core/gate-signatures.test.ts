import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { createSecretBox } from '../../src/core/access/secret-box.ts';
import type { BlobReader, BlobStore } from '../../src/core/blob-store.ts';
import type { CoreDependencies } from '../../src/core/dependencies.ts';
import type { StandingGate } from '../../src/core/gates/gate-table.ts';
import { createGates } from '../../src/core/gates/gates.ts';
import { signaturesBeside } from '../../src/core/signing/profile-signatures.ts';
import { signImage } from '../../src/core/signing/sign-image.ts';
import { createSignerProfiles } from '../../src/core/signing/signer-profiles.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { unpackReport } from '../../src/drivers/scanners/builtin/unpack-report.ts';
import { call, coreUnderTest, registry } from './core-under-test.ts';
import { localEncryption } from './local-encryption.ts';
import { indexManifest, pushedImage } from './manifests.ts';

const box = createSecretBox(randomBytes(32), randomBytes);
const signal = new AbortController().signal;
const DAY_SECONDS = 24 * 3600;

/** A core with a gate before `one` that asks for signatures of a profile. */
async function gated({ days = 10 } = {}) {
  const core = await coreUnderTest();
  const disk: Disk = {};
  const blobs = altering(core.dependencies.blobs, disk);
  const dependencies: CoreDependencies = {
    ...core.dependencies,
    blobs,
    encryption: localEncryption({ ...core.dependencies, blobs }),
  };
  const { read } = dependencies.metadata;
  const profiles = createSignerProfiles(dependencies, box);
  const create = async (name: string) => (await profiles.create(registry, name, { keyType: 'ec-256', days })).arn;
  const arn = await create('release');
  const { id: repositoryId = 0 } = (await read.repositories.find(registry, 'one')) ?? {};
  const gates = createGates(dependencies, { unpack: async (packed) => unpackReport(packed) });
  const setting = { requiresScan: false, graceSeconds: 0, isDryRun: false, author: 'somebody', updatedAt: new Date(0) };
  const gate = { repositoryId, signedBy: arn, ...setting };
  const standing: StandingGate = { registry, repositoryName: 'one', gate, exceptions: [], scanType: 'BASIC' };
  return {
    core,
    disk,
    profiles,
    create,
    arn,
    gate,
    pushed: async (word: string) => (await pushedImage(core, 'one', word)).digest as Digest,
    sign: (digest: Digest, profileArn = arn, signatureSeconds?: number) =>
      signImage(dependencies, { box, signatureSeconds }, { repositoryId, digest, profileArn }, signal),
    /** Why an image is refused; nothing when it is not. */
    async refusal(digest: string): Promise<string> {
      const manifest = await read.images.manifest(repositoryId, digest as Digest);
      assert.ok(manifest);
      return (await gates.judge(standing, manifest)).reasons.join();
    },
    signatures: (digest: Digest) => Array.fromAsync(signaturesBeside(read, { id: repositoryId }, digest)),
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

describe('a gate that asks for a signature', () => {
  it('lets pass what verifies, and what an index lists that verifies', async () => {
    await using world = await gated();
    const { core, pushed, sign, refusal } = world;
    const child = await pushedImage(core, 'one', 'child');
    const index = indexManifest([child]);
    await core.images.put(call, { repositoryName: 'one', manifest: index.bytes });
    assert.match(await refusal(child.digest), /no rule had it signed/);
    await sign(index.digest as Digest);
    assert.deepEqual([await refusal(index.digest), await refusal(child.digest)], ['', '']);
    const alone = await pushed('alone');
    await sign(alone);
    assert.equal(await refusal(alone), '');
  });

  it('finds within a minute that a byte of a signature was altered where it is kept', async () => {
    await using world = await gated();
    const { core, disk, pushed, sign, refusal } = world;
    const digest = await pushed('content');
    await sign(digest);
    assert.equal(await refusal(digest), '');
    // The last byte closes the envelope, behind its middle is the certificate of the authority: the key signed neither.
    for (const place of ['first', 'authority', 'last'] as const) {
      disk.alters = place;
      core.pass(59);
      assert.equal(await refusal(digest), '');
      core.pass(1);
      assert.match(await refusal(digest), /its signature was altered, or has ended/);
      disk.alters = undefined;
      core.pass(60);
      assert.equal(await refusal(digest), '');
    }
  });

  it('refuses what it cannot read, and looks at others beside it all the same', async () => {
    await using world = await gated();
    const { core, disk, pushed, sign, refusal, signatures } = world;
    const digest = await pushed('content');
    await sign(digest);
    for (const trouble of ['gone', 'damaged'] as const) {
      disk.trouble = trouble;
      core.pass(60);
      assert.match(await refusal(digest), /its signature was altered, or has ended/);
      // Signed anew, for what is there cannot be read.
      const before = (await signatures(digest)).length;
      await sign(digest);
      assert.equal((await signatures(digest)).length, before + 1);
    }
    disk.trouble = undefined;
    core.pass(60);
    assert.equal(await refusal(digest), '');
  });

  it('takes no signature of another profile, of another image, or one that only says that it is one', async () => {
    await using world = await gated();
    const { core, create, arn, pushed, sign, refusal, signatures } = world;
    const [mine, other] = [await pushed('mine'), await pushed('other')];
    await sign(mine, await create('neighbour'));
    assert.match(await refusal(mine), /no rule had it signed/);
    await sign(other);
    const [signature] = await signatures(other);
    const reference = { digest: signature ?? '' };
    const { bytes } = await core.images.getManifest(call, { repositoryName: 'one', reference });
    const manifest = JSON.parse(Buffer.from(bytes).toString());
    manifest.subject.digest = mine;
    await core.images.put(call, { repositoryName: 'one', manifest: Buffer.from(JSON.stringify(manifest)) });
    assert.equal((await signatures(mine)).length, 2);
    assert.match(await refusal(mine), /no rule had it signed/);
    await sign(mine, arn);
    assert.equal(await refusal(mine), '');
  });

  it('looks at signatures and not at what is said of them', async () => {
    await using world = await gated();
    const { core, arn, gate, pushed, sign, refusal, signatures } = world;
    const digest = await pushed('content');
    await sign(digest);
    const { metadata, now } = core.dependencies;
    const say = (status: 'COMPLETE' | 'IN_PROGRESS') =>
      metadata.transaction('repository', async (records) => {
        await records.repositories.findById(gate.repositoryId);
        const { id = 0 } = (await records.images.find(gate.repositoryId, digest)) ?? {};
        await records.signing.putStatus(id, { profileArn: arn, status, updatedAt: now() });
      });
    await say('IN_PROGRESS');
    assert.equal(await refusal(digest), '', 'as of an image that came with its signatures');
    const imageIds = (await signatures(digest)).map((imageDigest) => ({ imageDigest }));
    await core.images.deleteMany(call, { repositoryName: 'one', imageIds });
    assert.match(await refusal(digest), /that is in progress/);
    await say('COMPLETE');
    assert.match(await refusal(digest), /its signature is no longer there/);
  });

  it('lets pass no longer what ended: the signature, the certificate, the profile', async () => {
    await using world = await gated({ days: 10 });
    const { core, profiles, arn, pushed, sign, refusal } = world;
    const digest = await pushed('content');
    await sign(digest, arn, DAY_SECONDS);
    core.pass(DAY_SECONDS - 1);
    assert.equal(await refusal(digest), '');
    core.pass(1);
    assert.match(await refusal(digest), /its signature was altered, or has ended/);
    await sign(digest);
    assert.equal(await refusal(digest), '');
    await profiles.retire(registry, 'release');
    assert.equal(await refusal(digest), '', 'what it has signed stays signed');
    core.pass(9 * DAY_SECONDS);
    assert.match(await refusal(digest), /a certificate of the profile ended on 2026-03-11T/);
    await profiles.delete(registry, 'release');
    assert.match(await refusal(digest), /there is no such signer profile any more/);
  });

  it('keeps the profile that it names from being deleted', async () => {
    await using world = await gated();
    const { core, profiles, gate } = world;
    const { metadata } = core.dependencies;
    const change = (work: 'put' | 'delete') =>
      metadata.transaction('repository', async (records) => {
        await records.repositories.findById(gate.repositoryId);
        await (work === 'put' ? records.gates.put(gate) : records.gates.delete(gate.repositoryId));
      });
    await change('put');
    await assert.rejects(profiles.delete(registry, 'release'), /The gate of one in us-east-1 asks for signatures of/);
    await change('delete');
    await profiles.delete(registry, 'release');
    assert.deepEqual(await profiles.list(registry), []);
  });
});

interface Disk {
  /** What becomes of reading. */
  trouble?: 'gone' | 'damaged' | undefined;
  /** Which byte of what is read is another than what was written. */
  alters?: 'first' | 'authority' | 'last' | undefined;
}

/** A store whose bytes change, as on a disk that somebody else can write to. */
function altering(blobs: BlobStore, disk: Disk): BlobStore {
  return new Proxy(blobs, {
    get(inner, name) {
      const member = Reflect.get(inner, name);
      if (typeof member !== 'function') return member;
      if (name !== 'read') return member.bind(inner);
      return async (...words: Parameters<BlobStore['read']>): Promise<BlobReader | undefined> => {
        if (disk.trouble === 'gone') return undefined;
        if (disk.trouble === 'damaged') throw new Error('Chunk 0 is damaged');
        const reader = await inner.read(...words);
        if (!reader || disk.alters === undefined) return reader;
        const bytes = Buffer.concat(await Array.fromAsync(chunksOf(reader)));
        const at = { first: 0, authority: (bytes.length * 3) >> 2, last: bytes.length - 1 }[disk.alters];
        bytes[at]! ^= 1;
        let isOver = false;
        return {
          bytes: bytes.length,
          async next() {
            if (isOver) return undefined;
            isOver = true;
            return bytes;
          },
          recycle() {},
          async [Symbol.asyncDispose]() {},
        };
      };
    },
  });
}

async function* chunksOf(reader: BlobReader): AsyncGenerator<Buffer> {
  await using open = reader;
  for (let chunk = await open.next(); chunk; chunk = await open.next()) yield Buffer.from(chunk);
}
