import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { AwsError } from '../errors.ts';
import { splitPartBody } from './part-body.ts';

function bytesOf(json: string): Buffer | undefined {
  const { layerPart } = splitPartBody(Buffer.from(json));
  if (layerPart === undefined) return undefined;
  const decoded = Buffer.concat([...layerPart.chunks]);
  assert.equal(layerPart.bytes, decoded.length);
  return decoded;
}

test('decodes parts of every length around a piece, each piece owning its memory', () => {
  const piece = 5 * 48 * 1024;
  const text = 48 * 1024;
  for (const length of [0, 1, 2, 3, 4, text - 1, text, text + 1, piece - 1, piece, piece + 1, 2 * piece + text]) {
    const bytes = randomBytes(length);
    const { layerPart, rest } = splitPartBody(Buffer.from(`{"layerPartBlob":"${bytes.toString('base64')}","a":1}`));
    assert.ok(Buffer.concat([...(layerPart?.chunks ?? [])]).equals(bytes), `length ${length}`);
    assert.equal(rest.toString(), '{"layerPartBlob":"","a":1}');
    for (const chunk of layerPart?.chunks ?? []) assert.equal(chunk.byteLength, chunk.buffer.byteLength);
  }
});

test('decodes base64 that a client escaped', () => {
  const bytes = Buffer.concat([Buffer.alloc(3000, 0xff), Buffer.alloc(3000, 0xfb), randomBytes(600_001)]);
  const base64 = bytes.toString('base64');
  assert.ok(base64.includes('/') && base64.includes('+'));
  const escapes: [string, string][] = [
    [base64.replaceAll('/', '\\/'), 'PHP'],
    [base64.replaceAll('+', '\\u002B'), '.NET'],
    [base64.replaceAll(/.{76}/g, '$&\\n'), 'line breaks'],
    [[...base64].map((one) => (one === 'A' ? '\\u0041' : one)).join(''), 'every A'],
  ];
  for (const [text, who] of escapes) assert.ok(bytesOf(`{"layerPartBlob":"${text}"}`)?.equals(bytes), who);
});

test('refuses what is not padded standard base64', () => {
  const long = 'A'.repeat(5 * 64 * 1024);
  for (const text of [
    'A',
    'AA',
    'AAA',
    'AA=',
    'A===',
    'AA==AAAA',
    'AB==',
    'AAA-',
    '_AAA',
    'AA A',
    'AAAA    ',
    'AAA\u00e9',
    'AAA\u0141',
    'AAA\\t',
    'AAA\\u0141',
    'AAA\\u00',
    'AAA\\x41',
    `${long.slice(4)}AA==AAAA`,
    `${long}AA`,
    `    ${long}`,
    `${long}    ${long}`,
    `AA==${long}`,
    `${'A'.repeat(65_534)}==${long}`,
    `${long}====`,
    '====',
    'AA=A',
  ]) {
    assert.throws(
      () => bytesOf(`{"layerPartBlob":"${text}"}`),
      (error) => error instanceof AwsError && error.code === 'SerializationException',
      text.slice(0, 20),
    );
  }
});

test('leaves a request without the string as it is', () => {
  for (const json of ['{}', '{"layerPartBlob":null}', '[]', 'broken', '']) {
    const { rest, layerPart } = splitPartBody(Buffer.from(json));
    assert.equal(rest.toString(), json);
    assert.equal(layerPart, undefined);
  }
});

test('refuses a large body that is not a layer part', () => {
  for (const json of [`{"x":"${'A'.repeat(100_000)}"}`, ' '.repeat(100_000), '['.repeat(100_000)]) {
    assert.throws(() => splitPartBody(Buffer.from(json)), /more than 65536 bytes besides 'layerPartBlob'/);
  }
});
