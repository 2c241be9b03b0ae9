import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeRefusal } from '../errors.ts';
import { parseLifecyclePolicy } from './lifecycle-policy.ts';
import { LifecyclePolicyError, lifecycleRefusal } from './lifecycle-policy-error.ts';

type Draft = Record<string, unknown>;

const AS_ECR = { extensions: false, rulesMax: 50 };
const EXTENDED = { extensions: true, rulesMax: 50 };
const EXPIRE = { type: 'expire' };
const ARCHIVE = { type: 'transition', targetStorageClass: 'archive' };

/** A selection of any image by count, but for what is given. */
const select = (selection: Draft = {}): Draft => ({
  tagStatus: 'any',
  countType: 'imageCountMoreThan',
  countNumber: 5,
  ...selection,
});
const rule = (selection: Draft = {}, others: Draft = {}): Draft => ({
  rulePriority: 1,
  selection: select(selection),
  action: EXPIRE,
  ...others,
});
const since = (countType: string, countNumber = 90): Draft => ({ countType, countUnit: 'days', countNumber });
const inArchive = { ...since('sinceImageTransitioned'), storageClass: 'archive' };
const tagged = (...tagPatternList: unknown[]): Draft => ({ tagStatus: 'tagged', tagPatternList });
const textOf = (...rules: unknown[]) => JSON.stringify({ rules });
const without = (object: Draft, name: string): Draft =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));

function refusalOf(text: string, options = AS_ECR): LifecyclePolicyError {
  try {
    parseLifecyclePolicy(text, options);
  } catch (error) {
    assert.ok(error instanceof LifecyclePolicyError, `${error}`);
    return error;
  }
  return assert.fail(`accepted: ${text.slice(0, 200)}`);
}

const SELECTION_FITS_NONE = 'instance failed to match exactly one schema (matched 0 out of 4)\n';
const ACTION_FITS_NONE = 'instance failed to match exactly one schema (matched 0 out of 2)\n';
const typeMessage = (found: string, allowed: string) =>
  `instance type (${found}) does not match any allowed primitive type (allowed: ["${allowed}"])\n`;
const missingMessage = (...names: string[]) => `object has missing required properties (${JSON.stringify(names)})\n`;
const unknownMessage = (...names: string[]) =>
  `object instance has properties which are not allowed by the schema: ${JSON.stringify(names)}\n`;

const NOT_MAPPED = 'Could not map policyString into LifecyclePolicy.';
const NOT_LAST = 'Rule for tagStatus=ANY must have the lowest priority per storage class';

const documents: readonly [what: string, text: string, message: string, explanation: RegExp][] = [
  ['nothing', '', NOT_MAPPED, /not JSON/],
  ['no JSON', '{"rules":', NOT_MAPPED, /not JSON/],
  ['a list', '[]', NOT_MAPPED, /not a JSON object/],
  ['null', 'null', NOT_MAPPED, /not a JSON object/],
  ['a text', '"rules"', NOT_MAPPED, /not a JSON object/],
  ['a member twice', '{"rules":[],"rul\\u0065s":[]}', NOT_MAPPED, /'rules' is twice/],
  ['no rules', '{}', missingMessage('rules'), /^at the document$/],
  ['rules that are none', '{"rules":{}}', typeMessage('object', 'array'), /^at rules$/],
  [
    'an empty list of rules',
    '{"rules":[]}',
    'array is too short: must have at least 1 elements but instance has 0 elements\n',
    /^at rules$/,
  ],
  ['another member', '{"rules":[],"version":1}', unknownMessage('version'), /^at the document/],
  ['an inherited name', '{"__proto__":{"rules":[]},"constructor":1}', missingMessage('rules'), /the document/],
  ['a rule that is a text', textOf('x'), typeMessage('string', 'object'), /^at rules\[0\]$/],
];

const rules: readonly [what: string, rule: Draft, message: string, explanation?: RegExp][] = [
  ['nothing in it', {}, missingMessage('action', 'rulePriority', 'selection')],
  ['no priority', without(rule(), 'rulePriority'), missingMessage('rulePriority')],
  ['no selection', without(rule(), 'selection'), missingMessage('selection')],
  ['no action', without(rule(), 'action'), missingMessage('action')],
  ['another member', rule({}, { name: 'x', zone: 1 }), unknownMessage('name', 'zone')],
  ['a member named as objects have them', rule({}, { toString: 1 }), unknownMessage('toString')],
  ['a priority of 0', rule({}, { rulePriority: 0 }), tooLow(1, 0)],
  ['a priority in a text', rule({}, { rulePriority: '1' }), typeMessage('string', 'integer')],
  ['a priority of null', rule({}, { rulePriority: null }), typeMessage('null', 'integer')],
  ['a description of null', rule({}, { description: null }), typeMessage('null', 'string')],
  ['a selection that is a list', rule({}, { selection: [] }), typeMessage('array', 'object')],
  ['no tagStatus', rule({}, { selection: without(select(), 'tagStatus') }), missingMessage('tagStatus')],
  ['no countType', rule({}, { selection: without(select(), 'countType') }), missingMessage('countType')],
  ['no countNumber', rule({}, { selection: without(select(), 'countNumber') }), missingMessage('countNumber')],
  ['another member of the selection', rule({ days: 1 }), unknownMessage('days')],
  [
    'another tagStatus',
    rule({ tagStatus: 'ANY' }),
    'instance value ("ANY") not found in enum (possible values: ["any","tagged","untagged"])\n',
  ],
  ['a tagStatus of null', rule({ tagStatus: null }), typeMessage('null', 'string')],
  [
    'another countUnit',
    rule({ ...since('sinceImagePushed'), countUnit: 'hours' }),
    'instance value ("hours") not found in enum (possible values: ["days"])\n',
  ],
  ['a countNumber of 0', rule({ countNumber: 0 }), tooLow(1, 0)],
  ['a countNumber below 0', rule({ countNumber: -1 }), tooLow(1, -1)],
  ['a fraction', rule({ countNumber: 1.5 }), typeMessage('number', 'integer')],
  ['true', rule({ countNumber: true }), typeMessage('boolean', 'integer')],
  [
    'a number nobody counts to',
    rule({ countNumber: 1e308 }),
    'numeric instance is greater than the required maximum (maximum: 2147483647, found: 1e+308)\n',
  ],
  ['a list of null', rule({ tagPatternList: null, tagPrefixList: null }), typeMessage('null', 'array').repeat(2)],
  ['a number among the patterns', rule(tagged('a', 1)), typeMessage('integer', 'string'), /tagPatternList\[1\]$/],
  [
    'an empty prefix',
    rule({ tagStatus: 'tagged', tagPrefixList: [''] }),
    'string "" is too short (length: 0, required minimum: 1)\n',
  ],
  [
    'another countType',
    rule({ countType: 'sinceImageBuilt' }),
    SELECTION_FITS_NONE,
    /countType must be imageCountMoreThan,/,
  ],
  ['a countType of null', rule({ countType: null }), SELECTION_FITS_NONE],
  ['a count with days', rule({ countUnit: 'days' }), SELECTION_FITS_NONE, /takes no countUnit/],
  ['a count with a unit of null', rule({ countUnit: null }), SELECTION_FITS_NONE, /takes no countUnit/],
  ['days without a unit', rule({ countType: 'sinceImagePushed' }), SELECTION_FITS_NONE, /needs the countUnit "days"/],
  [
    'a count in the archive',
    rule({ storageClass: 'archive' }),
    SELECTION_FITS_NONE,
    /needs the storageClass "standard"/,
  ],
  ['a storage class of null', rule({ storageClass: null }), SELECTION_FITS_NONE],
  ['another storage class', rule({ storageClass: 'glacier' }), SELECTION_FITS_NONE],
  ['a push in the archive', rule({ ...since('sinceImagePushed'), storageClass: 'archive' }), SELECTION_FITS_NONE],
  ['a pull in the archive', rule({ ...since('sinceImagePulled'), storageClass: 'archive' }), SELECTION_FITS_NONE],
  [
    'an archive that is not written out',
    rule(since('sinceImageTransitioned')),
    SELECTION_FITS_NONE,
    /^at rules\[0\]\.selection: the countType sinceImageTransitioned needs the storageClass "archive", written out$/,
  ],
  ['89 days in the archive', rule({ ...inArchive, countNumber: 89 }), SELECTION_FITS_NONE, /90 or more/],
  ['an action that is a text', rule({}, { action: 'expire' }), typeMessage('string', 'object')],
  ['an action without type', rule({}, { action: {} }), missingMessage('type')],
  ['another member of the action', rule({}, { action: { ...EXPIRE, now: 1 } }), unknownMessage('now')],
  ['another action', rule({}, { action: { type: 'keep' } }), ACTION_FITS_NONE, /expire or transition/],
  ['a target of null', rule({}, { action: { ...EXPIRE, targetStorageClass: null } }), ACTION_FITS_NONE],
  ['a target of an expiry', rule({}, { action: { ...ARCHIVE, type: 'expire' } }), ACTION_FITS_NONE, /takes no target/],
  ['a transition nowhere', rule({}, { action: { type: 'transition' } }), ACTION_FITS_NONE, /needs the target/],
  ['another target', rule({}, { action: { ...ARCHIVE, targetStorageClass: 'standard' } }), ACTION_FITS_NONE],
  [
    'tagged without a list',
    rule({ tagStatus: 'tagged' }),
    'Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.',
  ],
  ['tagged with an empty list', rule(tagged()), 'Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.'],
  [
    'both lists',
    rule({ ...tagged('a'), tagPrefixList: ['b'] }),
    'Cannot specify both tagPrefixList and tagPatternList.',
  ],
  [
    'untagged with a list',
    rule({ tagStatus: 'untagged', tagPrefixList: ['a'] }),
    'Cannot specify tagPrefixList or tagPatternList when tagStatus=UNTAGGED.',
  ],
  [
    'any with a list',
    rule({ tagPatternList: ['a'] }),
    'Cannot specify tagPrefixList or tagPatternList when tagStatus=ANY.',
  ],
  ['five stars', rule(tagged('test*1*2*3*4*5')), 'A pattern of tagPatternList can have at most 4 wildcards (*).'],
  [
    'expiry of what is not pulled',
    rule(since('sinceImagePulled')),
    'Rule for countType=sinceImagePulled must have the action type=TRANSITION.',
  ],
  [
    'the archive into the archive',
    rule(inArchive, { action: ARCHIVE }),
    'Rule for countType=sinceImageTransitioned must have the action type=EXPIRE.',
  ],
  [
    'an exclusion, which is an extension',
    rule(tagged('*', '!prod*')),
    'A pattern of tagPatternList cannot begin with an exclamation mark.',
  ],
];

const second = (selection: Draft, others: Draft = {}) => rule(selection, { rulePriority: 2, ...others });

const together: readonly [what: string, rules: readonly Draft[], message: string][] = [
  ['a priority twice', [rule(tagged('a')), rule(tagged('b'))], 'Only one rule can have the same rulePriority.'],
  [
    'two untagged rules',
    [rule({ tagStatus: 'untagged' }), second({ tagStatus: 'untagged', ...since('sinceImagePushed') })],
    'Only one rule can select Untagged images per storage class.',
  ],
  ['any before another', [rule(), second(tagged('a'))], NOT_LAST],
  ['any before another, written in another order', [second(tagged('a')), rule()], NOT_LAST],
  ['any twice', [rule(), second({})], NOT_LAST],
  ['any before another of the archive', [rule(inArchive), second({ ...inArchive, tagStatus: 'untagged' })], NOT_LAST],
  [
    'the same patterns',
    [rule(tagged('a', 'b')), second(tagged('b', 'a', 'b'))],
    'Only one rule can have the same tagPatternList per storage class.',
  ],
  [
    'the same prefixes',
    [1, 2].map((rulePriority) => rule({ tagStatus: 'tagged', tagPrefixList: ['a'] }, { rulePriority })),
    'Only one rule can have the same tagPrefixList per storage class.',
  ],
];

const accepted: readonly [what: string, rules: readonly Draft[]][] = [
  ['the least', [rule()]],
  ['a description', [rule({}, { description: '' })]],
  ['gaps in the priorities', [rule({}, { rulePriority: 2_147_483_647 })]],
  ['four stars', [rule(tagged('*test*1*2*3'))]],
  ['the standard storage class, written out', [rule({ storageClass: 'standard' })]],
  ['archiving by count', [rule({}, { action: ARCHIVE })]],
  ['archiving by push', [rule(since('sinceImagePushed'), { action: ARCHIVE })]],
  ['archiving by pull', [rule(since('sinceImagePulled', 1), { action: ARCHIVE })]],
  ['a prefix and the same pattern', [rule(tagged('a')), second({ tagStatus: 'tagged', tagPrefixList: ['a'] })]],
  ['a part of a list', [rule(tagged('a', 'b')), second(tagged('a'))]],
  [
    'any and untagged of each storage class',
    [
      rule({ tagStatus: 'untagged' }, { rulePriority: 1 }),
      rule({}, { rulePriority: 2, action: ARCHIVE }),
      rule({ ...inArchive, tagStatus: 'untagged' }, { rulePriority: 3 }),
      rule(inArchive, { rulePriority: 4 }),
    ],
  ],
  ['the same patterns in each storage class', [rule(tagged('a')), second({ ...inArchive, ...tagged('a') })]],
];

describe('lifecycle policies that are accepted', () => {
  for (const [what, drafts] of accepted)
    it(what, () => assert.equal(parseLifecyclePolicy(textOf(...drafts), AS_ECR).rules.length, drafts.length));

  it('come out typed, in the order of their priorities', () => {
    const text = textOf(
      rule({ ...inArchive, countNumber: 365 }, { rulePriority: 20 }),
      rule(
        { tagStatus: 'tagged', tagPrefixList: ['v'], ...since('sinceImagePulled') },
        { rulePriority: 3, action: ARCHIVE, description: 'idle' },
      ),
    );
    assert.deepEqual(parseLifecyclePolicy(text, AS_ECR), {
      imageUnit: 'manifest',
      rules: [
        {
          rulePriority: 3,
          description: 'idle',
          tags: { status: 'tagged', by: 'prefix', entries: ['v'], excluded: [] },
          storageClass: 'STANDARD',
          countType: 'sinceImagePulled',
          countNumber: 90,
          action: 'TRANSITION',
        },
        {
          rulePriority: 20,
          tags: { status: 'any' },
          storageClass: 'ARCHIVE',
          countType: 'sinceImageTransitioned',
          countNumber: 365,
          action: 'EXPIRE',
        },
      ],
    });
  });
});

describe('lifecycle policies that are refused', () => {
  for (const [what, text, message, explanation] of documents)
    it(what, () => {
      const error = refusalOf(text);
      assert.ok(error.message.startsWith(message) || error.message.endsWith(message), error.message);
      assert.match(error.explanation ?? '', explanation);
    });
  for (const [what, draft, message, explanation] of rules)
    it(`a rule with ${what}`, () => {
      const error = refusalOf(textOf(draft));
      assert.equal(error.message, message);
      if (explanation !== undefined) assert.match(error.explanation ?? '', explanation);
    });
  for (const [what, drafts, message] of together)
    it(what, () => {
      assert.equal(refusalOf(textOf(...drafts)).message, message);
      assert.equal(refusalOf(textOf(...drafts.toReversed())).message, message);
    });

  it('more rules than there may be', () => {
    const drafts = (count: number) =>
      textOf(...Array.from({ length: count }, (_, index) => rule(tagged(`t${index}`), { rulePriority: index + 1 })));
    assert.equal(parseLifecyclePolicy(drafts(50), AS_ECR).rules.length, 50);
    const message = 'array is too long: must have at most 50 elements but instance has 51 elements\n';
    assert.equal(refusalOf(drafts(51)).message, message);
  });

  it('more entries of lists than there may be', () => {
    const drafts = (count: number) => [
      rule(tagged(...Array.from({ length: count }, (_, at) => `t${at}`))),
      rule({ tagStatus: 'tagged', tagPrefixList: ['a', 'b'] }, { rulePriority: 2 }),
    ];
    assert.equal(parseLifecyclePolicy(textOf(...drafts(248)), AS_ECR).rules.length, 2);
    assert.match(refusalOf(textOf(...drafts(249))).message, /at most 250 prefixes and patterns/);
  });

  it('in the sentence that ECR uses, with what it does not say behind it', () => {
    const refusal = lifecycleRefusal(refusalOf(textOf(rule({ countUnit: 'days' }))));
    assert.equal(
      describeRefusal(refusal),
      "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: " +
        "instance failed to match exactly one schema (matched 0 out of 4)\n' " +
        '(at rules[0].selection: the countType imageCountMoreThan takes no countUnit)',
    );
  });

  it('with every finding, up to ten', () => {
    assert.equal(refusalOf(textOf('x', 1, null)).message.split('\n').length, 4);
    assert.equal(refusalOf(textOf(...Array(50).fill(1))).message.split('\n').length, 11);
  });
});

describe('hostile lifecycle policies', () => {
  const CHARACTERS_MAX = 30_720;
  const texts: readonly [what: string, text: string][] = [
    ['brackets', '['.repeat(CHARACTERS_MAX)],
    ['nested lists', `{"rules":${'['.repeat(15_000)}${']'.repeat(15_000)}}`],
    ['nested objects', `${'{"rules":'.repeat(3_000)}1${'}'.repeat(3_000)}`],
    ['nesting where a text belongs', textOf(rule()).replace('"any"', `${'['.repeat(15_000)}${']'.repeat(15_000)}`)],
    ['stars', textOf(rule(tagged('*'.repeat(CHARACTERS_MAX - 200))))],
    ['patterns', textOf(rule(tagged(...Array(7_000).fill('a'))))],
    ['unknown members', JSON.stringify(Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`k${at}`, 0])))],
    ['findings', textOf(...Array(10_000).fill(null))],
    ['digits', textOf(rule({ countNumber: 7 })).replace(':7', `:${'9'.repeat(30_000)}`)],
    ['a prototype', textOf(rule()).replace('"tagStatus":"any"', '"__proto__":{"tagStatus":"any"}')],
    ['a member hidden behind another', textOf(rule()).replace('"countNumber":5', '"countNumber":5,"countNumber":1')],
  ];
  for (const [what, text] of texts)
    it(`of ${what}`, () => {
      const { message, explanation } = refusalOf(text);
      assert.ok(message.length < 5_000 && (explanation ?? '').length < 5_000, `${message.length}`);
    });
});

describe('extensions', () => {
  it('expire what nobody pulls', () => {
    const text = textOf(rule(since('sinceImagePulled')));
    assert.equal(parseLifecyclePolicy(text, EXTENDED).rules[0]!.action, 'EXPIRE');
  });

  it('exclude tags', () => {
    const parsed = parseLifecyclePolicy(textOf(rule(tagged('*', '!prod*', '!latest'))), EXTENDED);
    const tags = { status: 'tagged', by: 'pattern', entries: ['*'], excluded: ['prod*', 'latest'] };
    assert.deepEqual(parsed.rules[0]!.tags, tags);
    assert.match(refusalOf(textOf(rule(tagged('!'))), EXTENDED).message, /must not be empty/);
    assert.match(refusalOf(textOf(rule(tagged('!*a*b*c*d*'))), EXTENDED).message, /at most 4 wildcards/);
  });

  it('make an index and its children one image', () => {
    const text = (imageUnit: unknown) => JSON.stringify({ imageUnit, rules: [rule()] });
    assert.equal(parseLifecyclePolicy(text('index'), EXTENDED).imageUnit, 'index');
    assert.equal(parseLifecyclePolicy(text('manifest'), EXTENDED).imageUnit, 'manifest');
    assert.match(refusalOf(text('layer'), EXTENDED).message, /not found in enum/);
    assert.equal(refusalOf(text('index')).message, unknownMessage('imageUnit'));
  });

  it('leave the other bounds as they are', () => {
    const text = textOf(rule({ ...since('sinceImagePulled'), storageClass: 'archive' }));
    assert.equal(refusalOf(text, EXTENDED).message, SELECTION_FITS_NONE);
  });
});

function tooLow(min: number, found: number): string {
  return `numeric instance is lower than the required minimum (minimum: ${min}, found: ${found})\n`;
}
