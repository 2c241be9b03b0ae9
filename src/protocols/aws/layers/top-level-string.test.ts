import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findTopLevelString } from './top-level-string.ts';

const NAME = 'layerPartBlob';

/** What the scanner finds, as text; undefined when it finds nothing. */
function find(json: string, othersBytesMax = 1000): string | undefined {
  const body = Buffer.from(json);
  const result = findTopLevelString(body, NAME, othersBytesMax);
  assert.ok('found' in result, JSON.stringify(result));
  return result.found && body.toString('latin1', result.found.start, result.found.end);
}

test('finds the string wherever it stands among the members, whatever the blanks', () => {
  assert.equal(find('{"layerPartBlob":"QUJD"}'), 'QUJD');
  assert.equal(find('{"a":1,"layerPartBlob":"QUJD","b":[1,{"c":"}"}]}'), 'QUJD');
  assert.equal(find(' \n{ "a" : "x" ,\t"layerPartBlob" :\r\n "QUJD" , "b" : null } '), 'QUJD');
  assert.equal(find('{"a":{"b":[{}, [], "]"]},"layerPartBlob":"QUJD"}'), 'QUJD');
  assert.equal(find('{"layerPartBlob":""}'), '');
});

test('finds a member whose name is written with escapes', () => {
  assert.equal(find('{"layerPart\\u0042lob":"QUJD"}'), 'QUJD');
  assert.equal(find('{"layerPartBlo\\b":"QUJD"}'), undefined);
});

test('is not misled by the name in strings, in names, or deeper', () => {
  assert.equal(find('{"a":"\\"layerPartBlob\\":\\"no\\"","layerPartBlob":"QUJD"}'), 'QUJD');
  assert.equal(find('{"a":{"layerPartBlob":"no"},"b":["layerPartBlob","no"]}'), undefined);
  assert.equal(find('{"x\\"layerPartBlob":"no","layerPartBlob ":"no","LayerPartBlob":"no"}'), undefined);
  assert.equal(find('{"a":"ends with a backslash \\\\","layerPartBlob":"QUJD"}'), 'QUJD');
});

test('leaves values that are not strings to the parser', () => {
  for (const value of ['null', '12', 'true', '{"layerPartBlob":"x"}', '["x"]']) {
    assert.equal(find(`{"layerPartBlob":${value},"a":1}`), undefined);
  }
});

test('refuses a second member of the name, also where the first is null', () => {
  for (const json of [
    '{"layerPartBlob":"a","layerPartBlob":"b"}',
    '{"layerPartBlob":null,"layerPart\\u0042lob":"b"}',
  ]) {
    assert.deepEqual(findTopLevelString(Buffer.from(json), NAME, 1000), { refused: 'twice' });
  }
});

test('refuses a document with more besides the string than it may have, wherever that stands', () => {
  const long = 'x'.repeat(200);
  const blob = 'A'.repeat(100_000);
  assert.equal(find(`{"layerPartBlob":"${blob}","a":"short"}`, 150), blob);
  for (const json of [
    `{"a":"${long}","layerPartBlob":"${blob}"}`,
    `{"layerPartBlob":"${blob}","a":"${long}"}`,
    `{"layerPartBlob":"${blob}","a":[${'1,'.repeat(100)}1]}`,
    `{"a":${'['.repeat(200)}${']'.repeat(200)},"layerPartBlob":"${blob}"}`,
    `{${'"a":1,'.repeat(50)}"layerPartBlob":"${blob}"}`,
    ' '.repeat(200),
    'x'.repeat(200),
  ]) {
    assert.deepEqual(findTopLevelString(Buffer.from(json), NAME, 150), { refused: 'too-long' }, json.slice(0, 40));
  }
});

test('ends on every prefix of a document, and on documents with a byte changed', () => {
  const json = '{"a":"\\\\\\"x","b":{"c":[1,"]"]},"layerPartBlob":"QUJD\\/","d":null}';
  for (let end = 0; end <= json.length; end += 1) findTopLevelString(Buffer.from(json.slice(0, end)), NAME, 1000);
  for (let at = 0; at < json.length; at += 1) {
    for (const byte of '"\\{}[],: x\u0000') {
      const changed = json.slice(0, at) + byte + json.slice(at + 1);
      checkAgainstParser(changed);
    }
  }
});

test('agrees with JSON.parse on documents made at random', () => {
  const random = sequence(42);
  for (let round = 0; round < 3000; round += 1) {
    const members = Array.from(
      { length: random(5) },
      () => `${someKey(random)}${blank(random)}:${blank(random)}${value(random, 2)}`,
    );
    checkAgainstParser(`${blank(random)}{${blank(random)}${members.join(`${blank(random)},`)}${blank(random)}}`);
  }
});

/** Cutting the string out and parsing the rest must give what parsing the whole gives. */
function checkAgainstParser(json: string): void {
  const result = findTopLevelString(Buffer.from(json, 'latin1'), NAME, 10_000);
  const whole = parse(json);
  if (!('found' in result)) return;
  if (result.found === undefined) {
    assert.notEqual(typeof whole?.[NAME], 'string', json);
    return;
  }
  const { start, end } = result.found;
  const rest = parse(json.slice(0, start) + json.slice(end));
  const text = parse(`{"text":"${json.slice(start, end)}"}`)?.text;
  if (rest === undefined || text === undefined) assert.equal(whole, undefined, json);
  else assert.deepEqual({ ...rest, [NAME]: text }, whole, json);
}

function parse(json: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** A small generator of numbers below a bound, the same at every run. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function blank(random: (below: number) => number): string {
  return ['', '', ' ', '\n\t', '\r '][random(5)] ?? '';
}

function someKey(random: (below: number) => number): string {
  const keys = ['"a"', '"b\\"c"', `"${NAME}"`, '"layerPart\\u0042lob"', '"layerPartBlob\\\\"', `"x${NAME}"`];
  return keys[random(keys.length)] ?? '""';
}

function value(random: (below: number) => number, depth: number): string {
  const simple = [
    '1',
    'null',
    '-1.5e3',
    '""',
    '"a\\\\"',
    '"\\"',
    `"\\"${NAME}\\":\\"x"`,
    '"QUJD"',
    '"}],{"',
    '"\\u0022"',
  ];
  const pick = random(simple.length + (depth > 0 ? 4 : 0));
  if (pick < simple.length) return simple[pick] === '"\\"' ? '"\\""' : (simple[pick] ?? 'null');
  const inner = Array.from({ length: random(3) }, () => value(random, depth - 1));
  if (pick % 2 === 0) return `[${inner.join(`${blank(random)},`)}]`;
  return `{${inner.map((one) => `${someKey(random)}:${one}`).join(',')}}`;
}
