import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from './digest.ts';
import { type Manifest, ManifestError, parseManifest } from './manifest.ts';
import { DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, DOCKER_SCHEMA_1, OCI_INDEX, OCI_MANIFEST } from './media-type.ts';

const descriptorOf = (word: string, mediaType = 'application/x') => ({
  mediaType,
  digest: digestOf(Buffer.from(word)),
  size: word.length,
});
const config = descriptorOf('config', 'application/vnd.oci.image.config.v1+json');
const layer = descriptorOf('layer');
const image = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] };
const child = descriptorOf('child', OCI_MANIFEST);
const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [child] };

const bytesOf = (document: unknown) => Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
const parse = (document: unknown, declared?: string) => parseManifest(bytesOf(document), declared);

const read: [name: string, document: object, declared: string | undefined, expected: Partial<Manifest>][] = [
  ['an OCI image', image, undefined, { mediaType: OCI_MANIFEST, blobs: [config, layer], children: [] }],
  ['a docker image', { ...image, mediaType: DOCKER_MANIFEST }, DOCKER_MANIFEST, { mediaType: DOCKER_MANIFEST }],
  ['a declared type alone', { ...image, mediaType: undefined }, OCI_MANIFEST, { mediaType: OCI_MANIFEST }],
  [
    'a declared type with parameters',
    image,
    `${OCI_MANIFEST.toUpperCase()}; charset=utf-8`,
    { mediaType: OCI_MANIFEST },
  ],
  ['no layers', { ...image, layers: [] }, undefined, { blobs: [config] }],
  ['an artifact', { ...image, artifactType: 'application/x.sbom' }, undefined, { artifactType: 'application/x.sbom' }],
  ['an artifact known by its config', image, undefined, { artifactType: config.mediaType }],
  ['an empty artifact type', { ...image, artifactType: '' }, undefined, { artifactType: config.mediaType }],
  ['a subject', { ...image, subject: child }, undefined, { subject: child }],
  ['annotations', { ...image, annotations: { a: 'b' } }, undefined, { annotations: { a: 'b' } }],
  [
    'nulls where members are optional',
    { ...image, subject: null, annotations: null },
    undefined,
    { blobs: [config, layer] },
  ],
  ['a foreign layer', { ...image, layers: [{ ...layer, urls: ['https://a'] }] }, undefined, { blobs: [config] }],
  ['an OCI index', index, undefined, { mediaType: OCI_INDEX, blobs: [], children: [child] }],
  ['a manifest list', { ...index, mediaType: DOCKER_MANIFEST_LIST }, undefined, { children: [child] }],
  ['an index without entries', { ...index, manifests: [] }, undefined, { blobs: [], children: [] }],
  ["BuildKit's cache", { ...index, manifests: [layer, child] }, undefined, { blobs: [layer], children: [child] }],
  ['members nobody knows', { ...image, '': 1, x: { y: [] } }, undefined, { blobs: [config, layer] }],
];
for (const [name, document, declared, expected] of read) {
  test(`reads ${name}`, () => {
    assert.partialDeepStrictEqual(parse(document, declared), expected);
  });
}

const sha512 = { ...layer, digest: digestOf(Buffer.from('layer'), 'sha512') };
const refused: [name: string, document: unknown, reason: RegExp, declared?: string][] = [
  ['nothing', '', /^Invalid JSON syntax$/],
  ['broken JSON', '{', /^Invalid JSON syntax$/],
  ['a list', [], /^Invalid JSON syntax$/],
  ['null', 'null', /^Invalid JSON syntax$/],
  ['a text', '"manifest"', /^Invalid JSON syntax$/],
  ['no type at all', { ...image, mediaType: undefined }, /^Invalid JSON syntax$/],
  ['schema 1', { schemaVersion: 1, mediaType: DOCKER_SCHEMA_1 }, /^Invalid JSON syntax$/],
  ['no schema version', { ...image, schemaVersion: undefined }, /^Invalid JSON syntax$/],
  ['another type than declared', image, /says mediaType '.*manifest.*' and the request says '.*index/, OCI_INDEX],
  ['an unknown type', { ...image, mediaType: 'text/plain' }, /^Unsupported manifest type: 'text\/plain'$/],
  ['a type that is no text', { ...image, mediaType: 1 }, /'mediaType' must be a string/],
  ['an image with manifests', { ...image, manifests: [] }, /no 'manifests'/],
  ['an index with layers', { ...index, layers: [] }, /no 'layers'/],
  ['no config', { ...image, config: undefined }, /'config' must be a descriptor/],
  ['no layers', { ...image, layers: undefined }, /'layers' must be a list/],
  ['no manifests', { ...index, manifests: {} }, /'manifests' must be a list/],
  ['a layer that is null', { ...image, layers: [layer, null] }, /'layers\[1\]' must be a descriptor/],
  [
    'a digest that is none',
    { ...image, layers: [{ ...layer, digest: 'sha256:ab' }] },
    /must have a sha256 or sha512 digest/,
  ],
  ['a digest of an unknown kind', { ...image, config: { ...config, digest: 'md5:ab' } }, /'config' must have a sha256/],
  ['a size below nothing', { ...image, config: { ...config, size: -1 } }, /'config' must have a size/],
  ['a size that is no number', { ...image, config: { ...config, size: '1' } }, /'config' must have a size/],
  ['half a byte', { ...image, config: { ...config, size: 0.5 } }, /'config' must have a size/],
  ['no media type', { ...image, config: { ...config, mediaType: '' } }, /'config' must have a mediaType/],
  ['a subject that is a text', { ...image, subject: 'x' }, /'subject' must be a descriptor/],
  ['annotations that are no texts', { ...image, annotations: { a: 1 } }, /'annotations' must hold strings only/],
  ['more layers than any image has', { ...image, layers: Array(10_001).fill(layer) }, /Limit on number of layers/],
];
for (const [name, document, reason, declared] of refused) {
  test(`refuses ${name}`, () => {
    assert.throws(
      () => parse(document, declared),
      (error) => error instanceof ManifestError && reason.test(error.message),
    );
  });
}

test('takes sha512 digests, and refuses bytes that are no UTF-8', () => {
  assert.deepEqual(parse({ ...image, layers: [sha512] }).blobs[1], sha512);
  const bytes = bytesOf({ ...image, annotations: { a: 'x' } });
  bytes[bytes.lastIndexOf('x')] = 0xff;
  assert.throws(() => parseManifest(bytes), ManifestError);
});
