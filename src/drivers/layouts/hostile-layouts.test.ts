import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { writeLayout } from '../../../test/support/busybox-image.ts';
import { type Blob, blobOf, descriptor, mediaTypes, randomImage } from '../../../test/support/images.ts';
import { type TarEntry, tar } from '../../../test/support/tar.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { TransferError } from '../../core/transfer/transfer.ts';
import type { Digest } from '../../core/values/digest.ts';
import { openDockerArchiveSource } from './docker-archive-source.ts';
import { openFolderFiles } from './folder-files.ts';
import { openOciLayoutSource } from './oci-layout-source.ts';
import { openOciLayoutTarget } from './oci-layout-target.ts';
import { openTarFiles } from './tar-files.ts';

const image = randomImage([100]);
const [layer] = image.layers as [Blob];

function layoutIn({ path }: TemporaryFolder): string {
  const folder = join(path, 'layout');
  writeLayout(folder, 'v1', { blob: image.manifest, mediaType: image.mediaType }, [image]);
  return folder;
}

const pathOf = (folder: string, { digest }: Blob) => join(folder, 'blobs', 'sha256', digest.slice(7));

const openLayout = async (folder: string) =>
  openOciLayoutSource(await openFolderFiles(folder), { repositoryName: 'app' });

function refusal(words: RegExp, code: TransferError['code'] = 'invalid') {
  return (error: unknown) => {
    assert.ok(error instanceof TransferError, String(error));
    assert.match(error.message, words);
    assert.equal(error.code, code);
    return true;
  };
}

async function blobOfLayout(folder: string) {
  await using source = await openLayout(folder);
  const descriptorOf = { mediaType: mediaTypes.layer, digest: layer.digest as Digest, size: layer.bytes.length };
  return source.repository('app').blob(descriptorOf);
}

describe('a hostile OCI layout', () => {
  it('gives no file outside of it, by whatever link', async () => {
    await using folder = await temporaryFolder();
    const secret = join(folder.path, 'secret');
    writeFileSync(secret, Buffer.alloc(layer.bytes.length));
    const layout = layoutIn(folder);
    execFileSync('rm', [pathOf(layout, layer)]);
    symlinkSync('../../../secret', pathOf(layout, layer));
    await assert.rejects(blobOfLayout(layout), refusal(/blobs\/sha256\/[0-9a-f]+ leads out of it$/));

    const other = join(folder.path, 'other');
    mkdirSync(other);
    for (const name of ['oci-layout', 'index.json']) symlinkSync(join(layout, name), join(other, name));
    await assert.rejects(openLayout(other), refusal(/oci-layout leads out of it/));
  });

  it('does not wait for a pipe', async () => {
    await using folder = await temporaryFolder();
    const layout = layoutIn(folder);
    execFileSync('rm', [pathOf(layout, layer)]);
    execFileSync('mkfifo', [pathOf(layout, layer)]);
    await assert.rejects(blobOfLayout(layout), refusal(/is no file$/));
  });

  it('is refused for sizes and digests that are not so', async () => {
    await using folder = await temporaryFolder();
    const layout = layoutIn(folder);
    truncateSync(pathOf(layout, layer), 10);
    await assert.rejects(blobOfLayout(layout), refusal(/has 10 bytes, and its manifest says 100/));
    writeFileSync(
      pathOf(layout, image.manifest),
      image.manifest.bytes.toString().replace('schemaVersion', 'schemaVersioM'),
    );
    await using source = await openLayout(layout);
    await assert.rejects(
      source.repository('app').manifest('v1'),
      refusal(/the manifest sha256:[0-9a-f]+ has another digest/),
    );
  });

  it('is missing what it lacks', async () => {
    await using folder = await temporaryFolder();
    const layout = layoutIn(folder);
    execFileSync('rm', [pathOf(layout, layer), pathOf(layout, image.manifest)]);
    assert.equal(await blobOfLayout(layout), undefined);
    await using source = await openLayout(layout);
    await assert.rejects(source.repository('app').manifest('v1'), refusal(/is not there$/, 'missing'));
  });

  it('is refused for an index that is broken, large, or names two images alike', async () => {
    await using folder = await temporaryFolder();
    const layout = layoutIn(folder);
    const entry = {
      ...descriptor(image.mediaType, image.manifest),
      annotations: { 'org.opencontainers.image.ref.name': 'v1' },
    };
    const other = { ...entry, digest: layer.digest };
    const indexes: [string, RegExp][] = [
      ['{"manifests":', /index\.json is no JSON$/],
      ['null', /index\.json has no manifests/],
      ['{"manifests":[{"digest":"sha256:../../etc/passwd","mediaType":"a","size":1}]}', /broken at manifests\[0\]/],
      [JSON.stringify({ manifests: [entry, other] }), /has two images of the name :v1/],
    ];
    for (const [text, words] of indexes) {
      writeFileSync(join(layout, 'index.json'), text);
      await assert.rejects(openLayout(layout), refusal(words));
    }
    truncateSync(join(layout, 'index.json'), 65 * 1024 * 1024);
    await assert.rejects(openLayout(layout), refusal(/index\.json has 68157440 bytes; 67108864 are read at most/));
    truncateSync(pathOf(layout, image.manifest), 5 * 1024 * 1024);
    writeFileSync(join(layout, 'index.json'), JSON.stringify({ manifests: [entry] }));
    await using source = await openLayout(layout);
    await assert.rejects(source.repository('app').manifest('v1'), refusal(/4194304 are read at most/));
  });
});

async function openArchive(folder: TemporaryFolder, bytes: Buffer) {
  const file = join(folder.path, 'archive.tar');
  writeFileSync(file, bytes);
  return openDockerArchiveSource(await openTarFiles(file), { repositoryName: 'app' });
}

const list = (Layers: readonly string[]): TarEntry => ({
  name: 'manifest.json',
  bytes: Buffer.from(JSON.stringify([{ Config: 'config.json', RepoTags: ['app:v1'], Layers }])),
});
const config: TarEntry = { name: 'config.json', bytes: image.config.bytes };

describe('a hostile docker archive', () => {
  const refusedWhenOpened: [string, TarEntry[], RegExp][] = [
    ['a path out of it', [{ name: '../evil', bytes: Buffer.from('x') }], /"\.\.\/evil" leads out of the archive/],
    ['a path through it and out', [{ name: 'a/../../evil' }], /leads out of the archive/],
    ['its parent', [{ name: '..' }], /"\.\." leads out of the archive/],
    ['an absolute path', [{ name: '/etc/passwd' }], /leads out of the archive/],
    ['a link out of it', [{ name: 'a/layer.tar', linkTo: '../../etc/passwd' }], /leads out of the archive/],
    ['an absolute link', [{ name: 'layer.tar', linkTo: '/etc/passwd' }], /leads out of the archive/],
    ['two members of a name', [config, config], /two members of the name config\.json/],
    ['the same name in other words', [config, { ...config, name: './config.json' }], /two members of the name/],
    ['no list', [config], /is no docker archive: it has no manifest\.json/],
    ['a broken list', [{ name: 'manifest.json', bytes: Buffer.from('[{"Config":1}]') }], /manifest\.json is broken/],
  ];
  for (const [what, members, words] of refusedWhenOpened) {
    it(`is refused for ${what}`, async () => {
      await using folder = await temporaryFolder();
      const code = what === 'no list' ? 'missing' : 'invalid';
      await assert.rejects(openArchive(folder, tar(members)), refusal(words, code));
    });
  }

  const refusedWhenRead: [string, TarEntry[], RegExp, TransferError['code']?][] = [
    ['a layer that lacks', [config, list(['layer.tar'])], /the layer layer\.tar is not there/, 'missing'],
    ['a layer that is a path', [config, list(['../../etc/passwd'])], /is not there/, 'missing'],
    [
      'a layer that is another',
      [config, list(['layer.tar']), { name: 'layer.tar', bytes: Buffer.from('another') }],
      /the layer layer\.tar has another digest than config\.json says/,
    ],
    ['more layers than there are', [config, list(['a', 'b'])], /tells of 1 layers, and manifest\.json of 2/],
    [
      'a link without an end',
      [config, list(['a']), { name: 'a', linkTo: 'b' }, { name: 'b', linkTo: 'a' }],
      /without an end/,
    ],
    ['no config', [list([])], /the config config\.json is not there/, 'missing'],
    ['a broken config', [{ ...config, bytes: Buffer.from('{"rootfs":{"diff_ids":1}}') }, list([])], /is broken/],
  ];
  for (const [what, members, words, code] of refusedWhenRead) {
    it(`is refused for ${what}`, async () => {
      await using folder = await temporaryFolder();
      await using source = await openArchive(folder, tar(members));
      await assert.rejects(Promise.resolve(source.repository('app').manifest('v1')), refusal(words, code));
    });
  }

  it('is read with a layer that is a link to another, as docker once wrote them', async () => {
    await using folder = await temporaryFolder();
    const twice = blobOf(JSON.stringify({ rootfs: { type: 'layers', diff_ids: [layer.digest, layer.digest] } }));
    const members: TarEntry[] = [
      { name: 'config.json', bytes: twice.bytes },
      { name: 'a/layer.tar', bytes: layer.bytes },
      { name: 'b/layer.tar', linkTo: '../a/layer.tar' },
      list(['a/layer.tar', 'b/layer.tar']),
    ];
    await using source = await openArchive(folder, tar(members));
    const manifest = await source.repository('app').manifest('v1');
    const { layers } = JSON.parse(Buffer.from(manifest?.content ?? []).toString());
    assert.deepEqual(
      layers.map(({ digest }: Blob) => digest),
      [layer.digest, layer.digest],
    );
  });

  it('is refused when it ends early, is none, or is a bomb', async () => {
    await using folder = await temporaryFolder();
    const whole = tar([config, list([])]);
    await assert.rejects(openArchive(folder, whole.subarray(0, 550)), refusal(/ends within config\.json/));
    await assert.rejects(openArchive(folder, Buffer.alloc(2000, 'x')), refusal(/It is no tar archive, or is damaged/));
    await assert.rejects(
      openArchive(folder, gzipSync(Buffer.alloc(80 * 1024 * 1024))),
      refusal(/unpacks to more than \d+ bytes/),
    );
    await assert.rejects(
      openArchive(folder, gzipSync(whole).subarray(0, 60)),
      refusal(/is damaged: it cannot be unpacked/),
    );
  });
});

describe('an OCI layout that is written', () => {
  it('keeps nothing of a blob whose bytes have another digest', async () => {
    await using folder = await temporaryFolder();
    await using target = await openOciLayoutTarget(folder.path, { namesRepositories: false });
    let isRead = false;
    const reader = {
      bytes: 3,
      next: async () => {
        if (isRead) return undefined;
        isRead = true;
        return Buffer.from('abc');
      },
      recycle() {},
      async [Symbol.asyncDispose]() {},
    };
    const blob = { digest: layer.digest as Digest, bytes: 3, handsOver: true, read: async () => reader };
    const { putBlob } = target.repository('app');
    await assert.rejects(putBlob(blob), refusal(/The bytes of the blob sha256:[0-9a-f]+ have another digest/));
    assert.equal(execFileSync('ls', [join(folder.path, 'blobs', 'sha256')]).toString(), '');
  });
});
