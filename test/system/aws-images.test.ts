import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ECR, paginateDescribeImages, paginateListImages } from '@aws-sdk/client-ecr';
import { blobOf, digestOf, mediaTypes, pushImage, pushManifest, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, manifestOf, refused } from './aws-client.ts';

const unknownDigest = digestOf('nobody pushed this');
const registryId = '000000000000';

describe('images of the ECR API', () => {
  let server: RunningServer;
  let ecr: ECR;

  before(async () => {
    server = await startServer();
    ecr = ecrClient(server.url);
  });
  after(() => server[Symbol.asyncDispose]());

  const made = async (repositoryName: string, settings: object = {}) => {
    await ecr.createRepository({ repositoryName, ...settings });
    return repositoryName;
  };
  const put = (repositoryName: string, manifest: { bytes: Buffer }, more: object = {}) =>
    ecr.putImage({ repositoryName, imageManifest: manifest.bytes.toString(), ...more });

  it('are got each on its own, with a reason for those that are not', async () => {
    const repositoryName = 'get/many';
    const image = randomImage([100]);
    const other = randomImage([100]);
    await pushImage(server.url, repositoryName, 'v1', image);
    await pushImage(server.url, repositoryName, 'v2', other);
    const { digest } = image.manifest;
    const { images, failures } = await ecr.batchGetImage({
      repositoryName,
      imageIds: [
        { imageTag: 'v1' },
        { imageDigest: digest },
        { imageTag: 'nobody' },
        { imageDigest: unknownDigest },
        {},
        { imageDigest: 'nonsense' },
        { imageTag: '-x' },
        { imageTag: 'v2', imageDigest: digest },
      ],
    });
    assert.deepEqual(
      images?.map(({ imageId }) => imageId),
      [{ imageDigest: digest, imageTag: 'v1' }, { imageDigest: digest }],
    );
    assert.deepEqual(
      failures?.map(({ imageId, failureCode }) => [imageId, failureCode]),
      [
        [{ imageTag: 'nobody' }, 'ImageNotFound'],
        [{ imageDigest: unknownDigest }, 'ImageNotFound'],
        [{}, 'MissingDigestAndTag'],
        [{ imageDigest: 'nonsense' }, 'InvalidImageDigest'],
        [{ imageTag: '-x' }, 'InvalidImageTag'],
        [{ imageTag: 'v2', imageDigest: digest }, 'ImageTagDoesNotMatchDigest'],
      ],
    );
    assert.equal(failures?.[0]?.failureReason, 'Requested image not found');
    const accepted = { repositoryName, imageIds: [{ imageTag: 'v1' }] };
    const list = await ecr.batchGetImage({ ...accepted, acceptedMediaTypes: [mediaTypes.index] });
    assert.deepEqual(list.images, []);
    assert.equal(list.failures?.[0]?.failureCode, 'ImageNotFound');
    const both = await ecr.batchGetImage({ ...accepted, acceptedMediaTypes: [mediaTypes.index, mediaTypes.manifest] });
    assert.equal(both.images?.length, 1);
  });

  it('are not got, deleted or described by no id or by too many', async () => {
    const repositoryName = await made('get/none');
    const invalid = 'InvalidParameterException';
    const message =
      "Invalid parameter at 'imageIds' failed to satisfy constraint: 'Member must have length less than or equal to 100'";
    const cases: [imageIds: { imageTag: string }[], words: string | RegExp][] = [
      [Array(101).fill({ imageTag: 'x' }), message],
      [[], /'imageIds'.*greater than or equal to 1/],
    ];
    for (const [imageIds, words] of cases) {
      await refused(ecr.batchGetImage({ repositoryName, imageIds }), invalid, words);
      await refused(ecr.batchDeleteImage({ repositoryName, imageIds }), invalid, words);
      await refused(ecr.describeImages({ repositoryName, imageIds }), invalid, words);
    }
  });

  it('are deleted by tag and by digest', async () => {
    const repositoryName = 'delete/some';
    const image = randomImage([100]);
    const { digest: imageDigest } = image.manifest;
    for (const tag of ['a', 'b', 'c']) await pushImage(server.url, repositoryName, tag, image);
    const other = randomImage([100]);
    await pushImage(server.url, repositoryName, 'other', other);
    const byTag = await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageTag: 'a' }, { imageTag: 'x' }] });
    assert.deepEqual(byTag.imageIds, [{ imageDigest, imageTag: 'a' }]);
    assert.equal(byTag.failures?.[0]?.failureCode, 'ImageNotFound');
    const byDigest = await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest }] });
    assert.deepEqual(byDigest.imageIds, [
      { imageDigest, imageTag: 'b' },
      { imageDigest, imageTag: 'c' },
    ]);
    await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageTag: 'other' }] });
    assert.deepEqual((await ecr.listImages({ repositoryName })).imageIds, []);
  });

  it('are kept while an index lists them', async () => {
    const repositoryName = 'delete/index';
    const child = randomImage([100]);
    await pushImage(server.url, repositoryName, 'child', child);
    const { digest, bytes } = child.manifest;
    const descriptor = { mediaType: mediaTypes.manifest, digest, size: bytes.length };
    const index = blobOf(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [descriptor] }));
    await put(repositoryName, index, { imageTag: 'multi' });
    const { failures } = await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest: digest }] });
    assert.equal(failures?.[0]?.failureCode, 'ImageReferencedByManifestList');
    assert.equal(failures?.[0]?.failureReason, `Requested image referenced by manifest list: [${index.digest}]`);
    const { imageDetails } = await ecr.describeImages({ repositoryName, imageIds: [{ imageTag: 'multi' }] });
    const childBytes = child.config.bytes.length + 100;
    assert.equal(imageDetails?.[0]?.imageSizeInBytes, childBytes);
    assert.equal(imageDetails?.[0]?.imageManifestMediaType, mediaTypes.index);
  });

  it('are described with all there is to know', async () => {
    const repositoryName = 'describe/one';
    const image = randomImage([1000, 2000]);
    for (const tag of ['b', 'a']) await pushImage(server.url, repositoryName, tag, image);
    const { imageDetails } = await ecr.describeImages({ repositoryName, imageIds: [{ imageTag: 'a' }] });
    const [detail] = imageDetails ?? [];
    assert.deepEqual(detail, {
      registryId,
      repositoryName,
      imageDigest: image.manifest.digest,
      imageTags: ['a', 'b'],
      imageSizeInBytes: image.config.bytes.length + 3000,
      imagePushedAt: detail?.imagePushedAt,
      imageManifestMediaType: mediaTypes.manifest,
      artifactMediaType: mediaTypes.config,
      imageStatus: 'ACTIVE',
    });
    assert.ok(Math.abs(Number(detail?.imagePushedAt) - Date.now()) < 60_000);
    const missing = ecr.describeImages({ repositoryName, imageIds: [{ imageTag: 'a' }, { imageTag: 'nobody' }] });
    const message = `The image with imageId {imageDigest:'null', imageTag:'nobody'} does not exist within the repository with name 'describe/one' in the registry with id '${registryId}'`;
    await refused(missing, 'ImageNotFoundException', message);
    const both = { repositoryName, imageIds: [{ imageTag: 'a' }] };
    await refused(ecr.describeImages({ ...both, maxResults: 5 }), 'InvalidParameterException', /'maxResults'/);
    await refused(ecr.describeImages({ ...both, nextToken: 'x' }), 'InvalidParameterException', /'nextToken'/);
  });

  it('are listed in pages that add up to all, filtered by tag status', async () => {
    const repositoryName = 'list/pages';
    const images = Array.from({ length: 4 }, () => randomImage([10]));
    for (const [index, image] of images.entries()) {
      await pushImage(server.url, repositoryName, index === 3 ? image.manifest.digest : `t${index}`, image);
    }
    const [first = randomImage()] = images;
    for (const tag of ['more', 'and-more']) await pushImage(server.url, repositoryName, tag, first);

    const pairs: string[] = [];
    for await (const page of paginateListImages({ client: ecr, pageSize: 4 }, { repositoryName })) {
      assert.ok((page.imageIds?.length ?? 0) <= 4);
      pairs.push(...(page.imageIds ?? []).map(({ imageDigest, imageTag }) => `${imageDigest} ${imageTag}`));
    }
    const tagsOf = (index: number) =>
      index === 0 ? ['t0', 'more', 'and-more'] : [index === 3 ? undefined : `t${index}`];
    const expected = images.flatMap(({ manifest }, index) => tagsOf(index).map((tag) => `${manifest.digest} ${tag}`));
    assert.deepEqual(pairs.toSorted(), expected.toSorted());

    const digests: string[] = [];
    for await (const page of paginateDescribeImages({ client: ecr, pageSize: 3 }, { repositoryName })) {
      digests.push(...(page.imageDetails ?? []).map(({ imageDigest }) => String(imageDigest)));
    }
    assert.deepEqual(digests, images.map(({ manifest }) => manifest.digest).toSorted());

    for (const [tagStatus, pairsCount, imagesCount] of [
      ['TAGGED', 5, 3],
      ['UNTAGGED', 1, 1],
      ['ANY', 6, 4],
    ] as const) {
      const filter = { tagStatus };
      assert.equal((await ecr.listImages({ repositoryName, filter })).imageIds?.length, pairsCount);
      const { imageDetails } = await ecr.describeImages({ repositoryName, filter });
      assert.equal(imageDetails?.length, imagesCount);
      if (tagStatus === 'UNTAGGED') assert.equal('imageTags' in (imageDetails[0] ?? {}), false);
    }
    const archived = { imageStatus: 'ARCHIVED' } as const;
    assert.deepEqual((await ecr.listImages({ repositoryName, filter: archived })).imageIds, []);
    await refused(
      ecr.listImages({ repositoryName, filter: { tagStatus: 'SOME' as 'ANY' } }),
      'InvalidParameterException',
      "Invalid parameter at 'filter.tagStatus' failed to satisfy constraint: 'Member must satisfy enum value set: [TAGGED, UNTAGGED, ANY]'",
    );
  });

  it('list what refers to a digest, by artifact type and in pages', async () => {
    const repositoryName = 'list/referrers';
    const image = randomImage([10]);
    await pushImage(server.url, repositoryName, 'v1', image);
    const subject = {
      mediaType: mediaTypes.manifest,
      digest: image.manifest.digest,
      size: image.manifest.bytes.length,
    };
    const referrers = [];
    for (const [index, artifactType] of [
      'application/vnd.sbom',
      'application/vnd.sig',
      'application/vnd.sig',
    ].entries()) {
      const annotations = { number: `${index}` };
      const manifest = manifestOf(image.config, [], { artifactType, subject, annotations });
      await pushManifest(server.url, repositoryName, manifest.digest, manifest, mediaTypes.manifest);
      const { digest, bytes } = manifest;
      const facts = { mediaType: mediaTypes.manifest, size: bytes.length, artifactStatus: 'ACTIVE' };
      referrers.push({ digest, artifactType, annotations, ...facts });
    }
    referrers.sort((one, other) => (one.digest < other.digest ? -1 : 1));
    const subjectId = { imageDigest: image.manifest.digest };
    assert.deepEqual((await ecr.listImageReferrers({ repositoryName, subjectId })).referrers, referrers);
    const filter = { artifactTypes: ['application/vnd.sig', 'application/vnd.other'] };
    const signatures = await ecr.listImageReferrers({ repositoryName, subjectId, filter });
    assert.deepEqual(
      signatures.referrers,
      referrers.filter(({ artifactType }) => artifactType === 'application/vnd.sig'),
    );
    const first = await ecr.listImageReferrers({ repositoryName, subjectId, maxResults: 2 });
    const { nextToken } = first;
    const second = await ecr.listImageReferrers({ repositoryName, subjectId, nextToken });
    assert.deepEqual([...(first.referrers ?? []), ...(second.referrers ?? [])], referrers);
    assert.equal(second.nextToken, undefined);
    const { imageDetails } = await ecr.describeImages({
      repositoryName,
      imageIds: [{ imageDigest: referrers[0]?.digest }],
    });
    assert.equal(imageDetails?.[0]?.subjectManifestDigest, image.manifest.digest);
    const none = await ecr.listImageReferrers({ repositoryName, subjectId: { imageDigest: unknownDigest } });
    assert.deepEqual(none.referrers, []);
  });

  it('refuse to list referrers of what is no digest, or without a repository', async () => {
    const repositoryName = await made('list/refused');
    const invalid = 'InvalidParameterException';
    const list = (imageDigest: string | undefined, more: object = {}) =>
      ecr.listImageReferrers({ repositoryName, subjectId: { imageDigest }, ...more });
    await refused(list('nonsense'), invalid, /'subjectId.imageDigest'/);
    await refused(list('sha256:abc'), invalid, /'subjectId.imageDigest'/);
    await refused(list(undefined), invalid, /'subjectId.imageDigest'.*must not be null/);
    await refused(list(unknownDigest, { maxResults: 51 }), invalid, /less than or equal to 50/);
    await refused(list(unknownDigest, { nextToken: 'x' }), invalid, /'nextToken'/);
    await refused(list(unknownDigest, { repositoryName: 'nobody/made' }), 'RepositoryNotFoundException');
  });

  it('are nowhere in a repository that does not exist', async () => {
    const repositoryName = 'nobody/made';
    const imageIds = [{ imageTag: 'x' }];
    const name = 'RepositoryNotFoundException';
    await refused(ecr.batchGetImage({ repositoryName, imageIds }), name);
    await refused(ecr.batchDeleteImage({ repositoryName, imageIds }), name);
    await refused(ecr.listImages({ repositoryName }), name);
    await refused(ecr.describeImages({ repositoryName }), name);
  });
});
