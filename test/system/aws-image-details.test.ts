import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type ArtifactStatusFilter,
  type ECR,
  type ListImageReferrersCommandInput,
  type ListImageReferrersFilter,
  paginateListImages,
} from '@aws-sdk/client-ecr';
import { http } from '../support/http.ts';
import { type Blob, blobOf, descriptor, digestOf, mediaTypes, pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, manifestOf, refused, uploadLayer } from './aws-client.ts';

function indexOf(children: readonly Blob[], more: object = {}): Blob {
  const manifests = children.map((child) => descriptor(mediaTypes.manifest, child));
  return blobOf(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests, ...more }));
}

describe('details of images', () => {
  let server: RunningServer;
  let ecr: ECR;
  before(async () => {
    server = await startServer();
    ecr = ecrClient(server.url);
  });
  after(() => server[Symbol.asyncDispose]());

  const put = (repositoryName: string, { bytes }: Blob, more: object = {}) =>
    ecr.putImage({ repositoryName, imageManifest: bytes.toString(), ...more });
  const detail = async (repositoryName: string, { digest: imageDigest }: { digest: string }) =>
    (await ecr.describeImages({ repositoryName, imageIds: [{ imageDigest }] })).imageDetails?.[0];
  const left = async (repositoryName: string) =>
    (await ecr.listImages({ repositoryName, filter: { imageStatus: 'ANY' } })).imageIds?.length;

  it('tell of an index the size of its largest child, also through other indexes', async () => {
    const repositoryName = 'details/index';
    const [small, large] = [randomImage([100]), randomImage([5000])];
    for (const image of [small, large]) await pushImage(server.url, repositoryName, image.manifest.digest, image);
    const inner = indexOf([small.manifest, large.manifest]);
    const outer = indexOf([small.manifest, inner]);
    for (const index of [inner, outer]) await put(repositoryName, index);
    const bytes = large.config.bytes.length + 5000;
    assert.deepEqual(
      [
        (await detail(repositoryName, inner))?.imageSizeInBytes,
        (await detail(repositoryName, outer))?.imageSizeInBytes,
      ],
      [bytes, bytes],
    );
    const empty = indexOf([]);
    await put(repositoryName, empty);
    assert.equal((await detail(repositoryName, empty))?.imageSizeInBytes, 0);
  });

  it('tell what an artifact is and what it refers to', async () => {
    const repositoryName = 'details/artifacts';
    await ecr.createRepository({ repositoryName });
    const config = blobOf('{}');
    await uploadLayer(ecr, repositoryName, config);
    const subject = manifestOf(config, []);
    await put(repositoryName, subject);
    const refers = { subject: descriptor(mediaTypes.manifest, subject) };
    const helm = blobOf(
      subject.bytes.toString().replace(mediaTypes.config, 'application/vnd.cncf.helm.config.v1+json'),
    );
    const kinds: [manifest: Blob, artifactMediaType: string | undefined, subjectManifestDigest: string | undefined][] =
      [
        [subject, mediaTypes.config, undefined],
        [helm, 'application/vnd.cncf.helm.config.v1+json', undefined],
        [
          manifestOf(config, [], { artifactType: 'application/vnd.sig', ...refers }),
          'application/vnd.sig',
          subject.digest,
        ],
        [indexOf([subject]), undefined, undefined],
        [
          indexOf([subject], { artifactType: 'application/vnd.sbom', ...refers }),
          'application/vnd.sbom',
          subject.digest,
        ],
      ];
    for (const [manifest, artifactMediaType, subjectManifestDigest] of kinds) {
      if (manifest !== subject) await put(repositoryName, manifest);
      const found = await detail(repositoryName, manifest);
      assert.deepEqual(
        [found?.artifactMediaType, found?.subjectManifestDigest],
        [artifactMediaType, subjectManifestDigest],
      );
    }
  });

  it('list referrers of several artifact types and of each status, twenty at a time and fifty at most', async () => {
    const repositoryName = 'details/referrers';
    const image = randomImage([10]);
    await pushImage(server.url, repositoryName, 'v1', image);
    const subject = descriptor(mediaTypes.manifest, image.manifest);
    const types = ['a', 'b', 'c'].map((name) => `application/vnd.${name}`);
    const digests: string[] = [];
    for (let number = 0; number < 60; number++) {
      const artifactType = types[number % 3];
      const referrer = manifestOf(image.config, [], { artifactType, subject, annotations: { number: `${number}` } });
      digests.push(referrer.digest);
      await put(repositoryName, referrer);
    }
    const subjectId = { imageDigest: image.manifest.digest };
    const ask = (more: Partial<ListImageReferrersCommandInput> = {}) =>
      ecr.listImageReferrers({ repositoryName, subjectId, ...more });
    const sizes: (number | undefined)[] = [];
    const found: (string | undefined)[] = [];
    for (let nextToken: string | undefined, page = 0; page === 0 || nextToken !== undefined; page++) {
      const answer = await ask({ nextToken });
      sizes.push(answer.referrers?.length);
      found.push(...(answer.referrers ?? []).map(({ digest }) => digest));
      nextToken = answer.nextToken;
    }
    assert.deepEqual([sizes, found], [[20, 20, 20], digests.toSorted()]);
    assert.equal((await ask({ maxResults: 50 })).referrers?.length, 50);
    const filtered = async (filter: ListImageReferrersFilter) =>
      (await ask({ maxResults: 50, filter })).referrers ?? [];
    const two = await filtered({ artifactTypes: types.slice(0, 2) });
    assert.equal(two.length, 40);
    assert.ok(two.every(({ artifactType }) => artifactType !== types[2]));
    const none = Array.from({ length: 4 }, (_, at) => `application/vnd.none-${at}`);
    assert.equal((await filtered({ artifactTypes: [types[2]!, ...none] })).length, 20);
    await refused(
      ask({ filter: { artifactTypes: [types[2]!, ...none, 'application/vnd.sixth'] } }),
      'InvalidParameterException',
      /'filter\.artifactTypes'.*length less than or equal to 5/,
    );
    const [archived = ''] = digests;
    const imageId = { imageDigest: archived };
    await ecr.updateImageStorageClass({ repositoryName, imageId, targetStorageClass: 'ARCHIVE' });
    const ofStatus = async (artifactStatus: ArtifactStatusFilter) =>
      (await filtered({ artifactStatus, artifactTypes: types.slice(0, 1) })).map(({ digest, artifactStatus: is }) => [
        digest,
        is,
      ]);
    assert.deepEqual(await ofStatus('ARCHIVED'), [[archived, 'ARCHIVED']]);
    assert.deepEqual([(await ofStatus('ACTIVE')).length, (await ofStatus('ANY')).length], [19, 20]);
    assert.deepEqual(await ofStatus('ACTIVATING'), []);
    await refused(
      ask({ filter: { artifactStatus: 'SOME' as 'ANY' } }),
      'InvalidParameterException',
      /'filter\.artifactStatus'/,
    );
  });

  it('go with an index and its children in one call, or one after the other', async () => {
    const repositoryName = 'details/deletion';
    const children = [randomImage([10]), randomImage([10])];
    for (const image of children) await pushImage(server.url, repositoryName, image.manifest.digest, image);
    const index = indexOf(children.map(({ manifest }) => manifest));
    const ids = [...children.map(({ manifest }) => manifest), index].map(({ digest }) => ({ imageDigest: digest }));
    const remove = async (imageIds: object[]) => {
      const { imageIds: deleted, failures } = await ecr.batchDeleteImage({ repositoryName, imageIds });
      return [deleted?.length, failures?.map(({ failureCode }) => failureCode)];
    };
    await put(repositoryName, index, { imageTag: 'multi' });
    assert.deepEqual(await remove(ids.slice(0, 1)), [0, ['ImageReferencedByManifestList']]);
    assert.deepEqual(await remove(ids), [3, []]);
    assert.equal(await left(repositoryName), 0);

    for (const image of children) await pushImage(server.url, repositoryName, image.manifest.digest, image);
    await put(repositoryName, index, { imageTag: 'multi' });
    assert.deepEqual(await remove([{ imageTag: 'multi' }]), [1, []]);
    assert.equal(await left(repositoryName), 2);
    assert.deepEqual(await remove(ids.slice(0, 2)), [2, []]);
    assert.equal(await left(repositoryName), 0);
  });

  it('have a thousand tags and no more, on either face', async () => {
    const repositoryName = 'details/tags';
    const image = randomImage([10]);
    await pushImage(server.url, repositoryName, 't0', image);
    const tags = Array.from({ length: 999 }, (_, at) => `t${at + 1}`);
    for (let first = 0; first < tags.length; first += 50) {
      const some = tags.slice(first, first + 50);
      await Promise.all(some.map((imageTag) => put(repositoryName, image.manifest, { imageTag })));
    }
    const found = await detail(repositoryName, image.manifest);
    assert.deepEqual(found?.imageTags, ['t0', ...tags].toSorted());
    let listed = 0;
    for await (const page of paginateListImages({ client: ecr, pageSize: 300 }, { repositoryName })) {
      listed += page.imageIds?.length ?? 0;
    }
    assert.equal(listed, 1000);
    const message = new RegExp(`^The image with digest '${image.manifest.digest}' can have at most 1000 tags`);
    await refused(put(repositoryName, image.manifest, { imageTag: 'more' }), 'LimitExceededException', message);
    const pushed = await http(`${server.url}/v2/${repositoryName}/manifests/more`, {
      method: 'PUT',
      headers: { 'content-type': mediaTypes.manifest },
      body: image.manifest.bytes,
    });
    assert.equal(pushed.status, 403);
    assert.match(pushed.json().errors[0].message, message);
    await refused(put(repositoryName, image.manifest, { imageTag: 't7' }), 'ImageAlreadyExistsException');
    await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageTag: 't7' }] });
    await put(repositoryName, image.manifest, { imageTag: 'more' });
    assert.equal((await detail(repositoryName, { digest: image.manifest.digest }))?.imageTags?.length, 1000);
    const gone = await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest: image.manifest.digest }] });
    assert.equal(gone.imageIds?.length, 1000);
    await refused(
      ecr.describeImages({ repositoryName, imageIds: [{ imageDigest: digestOf(image.manifest.bytes) }] }),
      'ImageNotFoundException',
    );
  });
});
