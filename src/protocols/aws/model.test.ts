import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwsError } from './errors.ts';
import { loadModel, readStructure, writeStructure } from './model.ts';
import type { OperationName } from './operation.ts';
import { OPERATIONS } from './operations.ts';
import type { Shape, StructureShape } from './shapes.ts';

const model = await loadModel();

test('reads and writes every shape of every operation', () => {
  const names = Object.keys(OPERATIONS) as OperationName[];
  assert.equal(names.length, 62);
  for (const name of names) {
    for (const shape of Object.values(model.shapesOf(name))) {
      const json = exampleOf(shape);
      // What was read holds dates and bytes; written again it is the JSON it came from.
      assert.deepEqual(writeStructure(shape, readStructure(shape, json)), json, name);
    }
  }
});

test('knows which members are required', () => {
  const required = model.shapesOf('UploadLayerPart').input.members.filter((member) => member.required);
  assert.deepEqual(
    required.map(({ name }) => name),
    ['repositoryName', 'uploadId', 'partFirstByte', 'partLastByte', 'layerPartBlob'],
  );
});

test('reads null as absent, passes over unknown members, and keeps the text of strings', () => {
  const { input } = model.shapesOf('PutImage');
  const text = '{ "a" : "\u00e9\\u00e9" }\n';
  const json = JSON.parse('{"imageManifest":"","imageTag":null,"surprise":1,"__proto__":{"imageDigest":"x"}}');
  assert.deepEqual(readStructure(input, { ...json, imageManifest: text }), { imageManifest: text });
});

test('refuses a value of another type, naming the member', () => {
  const cases: [operation: OperationName, json: unknown, path: string][] = [
    ['UploadLayerPart', { partFirstByte: '0' }, "'partFirstByte'"],
    ['UploadLayerPart', { partFirstByte: 2 ** 53 }, "'partFirstByte'"],
    ['UploadLayerPart', { layerPartBlob: 'AA' }, "'layerPartBlob'"],
    ['UploadLayerPart', { layerPartBlob: [] }, "'layerPartBlob'"],
    ['BatchGetImage', { imageIds: [{}, { imageTag: 5 }] }, "'imageIds.2.member.imageTag'"],
    ['BatchGetImage', { imageIds: [null] }, "'imageIds.1.member'"],
    ['CreateRepository', { imageScanningConfiguration: { scanOnPush: 1 } }, "'imageScanningConfiguration.scanOnPush'"],
    ['CreateRepository', 'text', 'The request'],
  ];
  for (const [operation, json, path] of cases) {
    assert.throws(
      () => readStructure(model.shapesOf(operation).input, json),
      (error) => error instanceof AwsError && error.code === 'SerializationException' && error.message.includes(path),
      path,
    );
  }
});

test('leaves out what an answer does not have', () => {
  const { output } = model.shapesOf('DescribeImages');
  const image = { imageDigest: 'd', imageTags: undefined, imagePushedAt: new Date(1_700_000_000_123), surprise: 1 };
  assert.deepEqual(writeStructure(output, { imageDetails: [image], nextToken: undefined }), {
    imageDetails: [{ imageDigest: 'd', imagePushedAt: 1_700_000_000.123 }],
  });
});

function exampleOf(shape: StructureShape): Record<string, unknown> {
  return Object.fromEntries(shape.members.map((member) => [member.name, exampleValue(member.shape)]));
}

function exampleValue(shape: Shape): unknown {
  const simple = { string: 'text', number: 5, boolean: false, timestamp: 1_700_000_000.5, blob: 'QUJD' };
  if (shape.kind === 'structure') return exampleOf(shape);
  if (shape.kind === 'list') return [exampleValue(shape.element), exampleValue(shape.element)];
  return shape.kind === 'map' ? { key: exampleValue(shape.element) } : simple[shape.kind];
}
