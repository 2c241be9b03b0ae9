import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
import { http } from '../support/http.ts';
import { blobOf, digestOf, type Image, mediaTypes, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, manifestOf, refused, uploadLayer } from './aws-client.ts';

const unknownDigest = digestOf('nobody pushed this');
const registryId = '000000000000';

describe('PutImage', () => {
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
  /** Uploads config and layers, not the manifest. */
  const uploadBlobs = async (repositoryName: string, image: Image) => {
    for (const blob of [image.config, ...image.layers]) await uploadLayer(ecr, repositoryName, blob);
  };
  const put = (repositoryName: string, manifest: { bytes: Buffer }, more: object = {}) =>
    ecr.putImage({ repositoryName, imageManifest: manifest.bytes.toString(), ...more });

  it('are put and come back byte for byte, on both faces', async () => {
    const repositoryName = await made('put/plain');
    const image = randomImage([3000, 2000], { note: 'Grüße \u{1f433}' });
    await uploadBlobs(repositoryName, image);
    const answer = await put(repositoryName, image.manifest, { imageTag: 'v1', imageDigest: image.manifest.digest });
    const expected = {
      registryId,
      repositoryName,
      imageId: { imageDigest: image.manifest.digest, imageTag: 'v1' },
      imageManifest: image.manifest.bytes.toString(),
      imageManifestMediaType: mediaTypes.manifest,
    };
    assert.deepEqual(answer.image, expected);
    const { images, failures } = await ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'v1' }] });
    assert.deepEqual(images, [expected]);
    assert.deepEqual(failures, []);
    const pulled = await http(`${server.url}/v2/put/plain/manifests/v1`);
    assert.ok(pulled.body.equals(image.manifest.bytes));
    assert.equal(pulled.headers['docker-content-digest'], image.manifest.digest);
  });

  it('keep blanks and order of a manifest, and take its type from the request', async () => {
    const repositoryName = await made('put/verbatim');
    const config = blobOf('{}');
    await uploadLayer(ecr, repositoryName, config);
    const { mediaType: _, ...untyped } = JSON.parse(manifestOf(config, []).bytes.toString());
    const manifest = blobOf(`${JSON.stringify(untyped, null, 3)}\n`);
    const syntax = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'";
    await refused(put(repositoryName, manifest), 'InvalidParameterException', syntax);
    const { image } = await put(repositoryName, manifest, { imageManifestMediaType: mediaTypes.manifest });
    assert.equal(image?.imageId?.imageDigest, manifest.digest);
    const { images } = await ecr.batchGetImage({ repositoryName, imageIds: [{ imageDigest: manifest.digest }] });
    assert.equal(images?.[0]?.imageManifest, manifest.bytes.toString());
    assert.deepEqual(images?.[0]?.imageId, { imageDigest: manifest.digest });
  });

  it('are refused when what they name is missing', async () => {
    const repositoryName = await made('put/missing');
    const image = randomImage([100]);
    const missing = [image.config.digest, ...image.layers.map(({ digest }) => digest)];
    const words = (what: string, digests: string[]) =>
      `${what} with digests '[${digests.join(', ')}]' required for pushing image into repository with name 'put/missing' in the registry with id '${registryId}' do not exist`;
    await refused(put(repositoryName, image.manifest), 'LayersNotFoundException', words('Layers', missing));
    const descriptor = { mediaType: mediaTypes.manifest, digest: unknownDigest, size: 5 };
    const index = blobOf(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [descriptor] }));
    const message = words('Images', [unknownDigest]);
    await refused(put(repositoryName, index), 'ReferencedImagesNotFoundException', message);
    assert.deepEqual((await ecr.listImages({ repositoryName })).imageIds, []);
  });

  it('are refused when broken, misnamed or misplaced', async () => {
    const repositoryName = await made('put/broken');
    const image = randomImage([100]);
    await uploadBlobs(repositoryName, image);
    const invalid = 'InvalidParameterException';
    for (const broken of ['{', 'null', '[]', '{}', '{"schemaVersion":1}', ' ']) {
      await refused(put(repositoryName, { bytes: Buffer.from(broken) }), invalid, /'ImageManifest'/);
    }
    await refused(put(repositoryName, { bytes: Buffer.alloc(0) }), invalid, /'imageManifest'.*equal to 1/);
    const huge = Buffer.alloc(4_194_305, ' ');
    await refused(put(repositoryName, { bytes: huge }), invalid, /'imageManifest'.*less than or equal to 4194304/);
    for (const imageTag of ['', '-x', 'a b', 'ä', 'a'.repeat(129), 'a'.repeat(301)]) {
      await refused(put(repositoryName, image.manifest, { imageTag }), invalid, /'imageTag'/);
    }
    const message = `The image with digest '${unknownDigest}' in repository 'put/broken' and registry ID '${registryId}' does not match the image digest that Amazon ECR has calculated.`;
    const mismatch = put(repositoryName, image.manifest, { imageDigest: unknownDigest });
    await refused(mismatch, 'ImageDigestDoesNotMatchException', message);
    await refused(put('nobody/made', image.manifest), 'RepositoryNotFoundException');
  });

  it('take a manifest of 4 MiB', async () => {
    const repositoryName = await made('put/large');
    const config = blobOf('{}');
    await uploadLayer(ecr, repositoryName, config);
    const small = manifestOf(config, [], { annotations: { padding: '' } });
    const padding = '"'.repeat(10) + 'x'.repeat(4_194_304 - small.bytes.length - 20);
    const manifest = manifestOf(config, [], { annotations: { padding } });
    assert.equal(manifest.bytes.length, 4_194_304);
    const { image } = await put(repositoryName, manifest);
    assert.equal(image?.imageId?.imageDigest, manifest.digest);
  });

  it('are refused when they are there already, and tagged again with another tag', async () => {
    const repositoryName = await made('put/again');
    const image = randomImage([100]);
    await uploadBlobs(repositoryName, image);
    await put(repositoryName, image.manifest, { imageTag: 'v1' });
    const words = (tag: string) =>
      `Image with digest '${image.manifest.digest}' and tag '${tag}' already exists in the repository with name 'put/again' in registry with id '${registryId}'`;
    const name = 'ImageAlreadyExistsException';
    await refused(put(repositoryName, image.manifest, { imageTag: 'v1' }), name, words('v1'));
    await refused(put(repositoryName, image.manifest), name, words('null'));
    await put(repositoryName, image.manifest, { imageTag: 'v2' });
    const { imageDetails } = await ecr.describeImages({ repositoryName });
    assert.deepEqual(imageDetails?.[0]?.imageTags, ['v1', 'v2']);
    assert.equal(imageDetails?.length, 1);
  });

  const mutabilities: [mutability: string, filters: string[], moves: Record<string, boolean>][] = [
    ['MUTABLE', [], { v1: true, dev: true }],
    ['IMMUTABLE', [], { v1: false, dev: false }],
    ['IMMUTABLE_WITH_EXCLUSION', ['dev*'], { v1: false, dev: true, 'dev-2': true }],
    ['MUTABLE_WITH_EXCLUSION', ['v*', '*-rc'], { v1: false, 'x-rc': false, dev: true }],
  ];
  for (const [imageTagMutability, filters, moves] of mutabilities) {
    it(`move tags as ${imageTagMutability} says`, async () => {
      const imageTagMutabilityExclusionFilters = filters.map((filter) => ({ filterType: 'WILDCARD', filter }));
      const repositoryName = await made(`move/${imageTagMutability.toLowerCase()}`, {
        imageTagMutability,
        ...(filters.length > 0 && { imageTagMutabilityExclusionFilters }),
      });
      const [before, behind] = [randomImage([10]), randomImage([20])];
      await uploadBlobs(repositoryName, before);
      await uploadBlobs(repositoryName, behind);
      for (const [imageTag, isMoved] of Object.entries(moves)) {
        await put(repositoryName, before.manifest, { imageTag });
        const again = put(repositoryName, behind.manifest, { imageTag });
        const message = `The image tag '${imageTag}' already exists in the '${repositoryName}' repository and cannot be overwritten because the tag is immutable.`;
        if (isMoved) await again;
        else await refused(again, 'ImageTagAlreadyExistsException', message);
        await refused(
          put(repositoryName, (isMoved ? behind : before).manifest, { imageTag }),
          'ImageAlreadyExistsException',
        );
      }
    });
  }
});
