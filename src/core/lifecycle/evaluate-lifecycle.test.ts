import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluateLifecycle, explainLifecycle } from './evaluate-lifecycle.ts';
import type { LifecycleImage } from './lifecycle-image.ts';
import { parseLifecyclePolicy } from './lifecycle-policy.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const ago = (days: number, otherMs = 0) => new Date(NOW.getTime() - days * DAY_MS - otherMs);

type Draft = Record<string, unknown>;

const EXPIRE = { type: 'expire' };
const ARCHIVE = { type: 'transition', targetStorageClass: 'archive' };
const count = (countNumber: number) => ({ countType: 'imageCountMoreThan', countNumber });
const since = (countType: string, countNumber: number) => ({ countType, countUnit: 'days', countNumber });
const pushed = (days: number) => since('sinceImagePushed', days);
const any = { tagStatus: 'any' };
const untagged = { tagStatus: 'untagged' };
const inArchive = { storageClass: 'archive' };
const patterns = (...tagPatternList: string[]) => ({ tagStatus: 'tagged', tagPatternList });
/** The spelling of older documentation: the same without the stars. */
const prefixes = (...list: string[]) => ({
  tagStatus: 'tagged',
  tagPrefixList: list.map((entry) => entry.replace('*', '')),
});

/** Rules with the priorities 1, 2, …; what is given of each are its selection and its action. */
function policyOf(rules: readonly (readonly [selection: Draft, action?: Draft])[]) {
  const drafts = rules.map(([selection, action = EXPIRE], index) => ({ rulePriority: index + 1, selection, action }));
  return parseLifecyclePolicy(JSON.stringify({ rules: drafts }), { extensions: true, rulesMax: 50 });
}

/** An image whose digest is its name. */
function image(digest: string, tags: readonly string[], days: number, others: Partial<LifecycleImage> = {}) {
  return { digest, tags, pushedAt: ago(days), storageClass: 'STANDARD' as const, ...others };
}

/** `rule:digest`, in the order to execute. */
const decided = (rules: Parameters<typeof policyOf>[0], images: readonly LifecycleImage[]) =>
  evaluateLifecycle(policyOf(rules), images, NOW).map(({ rulePriority, digest }) => `${rulePriority}:${digest}`);

const E5 = [image('A', ['beta-1', 'prod-1'], 10), image('B', ['beta-2', 'prod-2'], 9), image('C', ['beta-3'], 8)];
const E7A = [
  image('A', ['alpha-1'], 12),
  image('B', ['beta-1'], 11),
  image('C', ['alpha-2', 'beta-2'], 10),
  image('D', ['alpha-3'], 4),
  image('E', ['beta-3'], 3),
  image('F', ['alpha-4', 'beta-4'], 2),
];
const E7B = [
  image('A', ['alpha-1', 'beta-1', 'gamma-1'], 10),
  image('B', ['alpha-2', 'beta-2'], 9),
  image('C', ['alpha-3', 'beta-3', 'gamma-2'], 8),
];
const E8A = [image('A', ['alpha-1'], 4), image('B', ['beta-1'], 3), image('C', [], 2), image('D', ['alpha-2'], 1)];
const E8B = [
  image('A', ['alpha-1', 'beta-1'], 4),
  image('B', [], 3),
  image('C', ['alpha-2'], 2),
  image('D', ['0c6e3a1'], 1, { pushedAt: ago(1, HOUR_MS) }),
  image('E', [], 1),
];

describe('the examples of the documentation', () => {
  for (const tagged of [patterns, prefixes]) {
    const spelling = tagged.name;
    it(`by the age of a tag, ${spelling}`, () => {
      const images = [
        image('A', ['prod-1'], 14),
        image('B', ['prod-2', 'x'], 15),
        image('C', ['dev'], 99),
        image('D', [], 99),
      ];
      assert.deepEqual(decided([[{ ...tagged('prod*'), ...pushed(14) }]], images), ['1:B']);
    });
    it(`rules of different tags, ${spelling}`, () => {
      const prod = { ...tagged('prod*'), ...count(1) };
      const beta = { ...tagged('beta*'), ...count(1) };
      assert.deepEqual(decided([[prod], [beta]], E5), ['1:A']);
      assert.deepEqual(decided([[beta], [prod]], E5), ['1:A', '1:B']);
    });
    it(`all entries of a list, ${spelling}`, () => {
      assert.deepEqual(decided([[{ ...tagged('alpha*', 'beta*'), ...pushed(5) }]], E7A), ['1:C']);
      assert.deepEqual(decided([[{ ...tagged('alpha*', 'beta*'), ...count(1) }]], E7B), ['1:A', '1:B']);
    });
    it(`all images, ${spelling}`, () => {
      assert.deepEqual(decided([[{ ...any, ...count(1) }]], E8A), ['1:A', '1:B', '1:C']);
      const rules = [
        [{ ...tagged('alpha*'), ...count(1) }],
        [{ ...untagged, ...pushed(1) }],
        [{ ...any, ...count(1) }],
      ] as const;
      assert.deepEqual(decided(rules, E8B), ['1:A', '2:B', '3:D']);
    });
  }

  it('archiving what nobody pulls', () => {
    const images = [
      image('pulled', [], 400, { pulledAt: ago(90) }),
      image('idle', [], 400, { pulledAt: ago(91) }),
      image('never', [], 91),
      image('restored', [], 400, { pulledAt: ago(300), activatedAt: ago(89) }),
      image('restored long ago', [], 400, { pulledAt: ago(300), activatedAt: ago(91) }),
      image('pulled since', [], 400, { activatedAt: ago(300), pulledAt: ago(10) }),
      image('archived', [], 400, { storageClass: 'ARCHIVE', archivedAt: ago(1) }),
    ];
    const decisions = evaluateLifecycle(
      policyOf([[{ ...any, ...since('sinceImagePulled', 90) }, ARCHIVE]]),
      images,
      NOW,
    );
    assert.deepEqual(
      decisions.map(({ digest }) => digest),
      ['idle', 'restored long ago', 'never'],
    );
    assert.deepEqual([decisions[0]!.action, decisions[0]!.targetStorageClass], ['TRANSITION', 'ARCHIVE']);
  });

  it('expiring what was archived', () => {
    const archived = (digest: string, days: number) =>
      image(digest, [], 999, { storageClass: 'ARCHIVE', archivedAt: ago(days) });
    const images = [
      archived('A', 366),
      archived('B', 365),
      image('C', [], 999, { archivedAt: ago(900), activatedAt: ago(800) }),
    ];
    const decisions = evaluateLifecycle(
      policyOf([[{ ...any, ...inArchive, ...since('sinceImageTransitioned', 365) }]]),
      images,
      NOW,
    );
    assert.deepEqual(
      decisions.map(({ digest, action }) => [digest, action]),
      [['A', 'EXPIRE']],
    );
    assert.ok(!('targetStorageClass' in decisions[0]!));
  });

  it('keeping one untagged image', () => {
    const images = [image('A', [], 3), image('B', [], 2), image('C', ['x'], 9), image('D', [], 4)];
    assert.deepEqual(decided([[{ ...untagged, ...count(1) }]], images), ['1:D', '1:A']);
  });

  it('archiving by push, and expiring from the archive', () => {
    const images = [
      image('A', ['prod-1'], 31),
      image('B', ['prod-2'], 30),
      image('C', ['dev'], 31),
      image('D', ['prod-3'], 900, { storageClass: 'ARCHIVE', archivedAt: ago(366) }),
    ];
    assert.deepEqual(decided([[{ ...patterns('prod*'), ...pushed(30) }, ARCHIVE]], images), ['1:A']);
    const both = [
      [{ ...any, ...pushed(30) }, ARCHIVE],
      [{ ...any, ...inArchive, ...since('sinceImageTransitioned', 365) }, EXPIRE],
    ] as const;
    assert.deepEqual(decided(both, images), ['1:C', '1:A', '2:D']);
  });
});

describe('a lifecycle policy', () => {
  it('counts a restored image from its restoration', () => {
    const images = [image('A', [], 100, { activatedAt: ago(1) }), image('B', [], 50), image('C', [], 2)];
    assert.deepEqual(decided([[{ ...any, ...count(1) }]], images), ['1:B', '1:C']);
    assert.deepEqual(decided([[{ ...any, ...pushed(10) }]], images), ['1:B']);
  });

  it('takes the smaller digest for the newer of two pushed at once', () => {
    const images = [image('B', [], 1), image('A', [], 1), image('C', [], 1)];
    assert.deepEqual(decided([[{ ...any, ...count(1) }]], images), ['1:C', '1:B']);
  });

  it('acts on what is older by a millisecond, not on what is exactly as old', () => {
    const images = [image('A', [], 5), image('B', [], 5, { pushedAt: ago(5, 1) })];
    assert.deepEqual(decided([[{ ...any, ...pushed(5) }]], images), ['1:B']);
  });

  it('does not know how long an image was archived that it does not know archived', () => {
    const images = [image('A', [], 999, { storageClass: 'ARCHIVE' })];
    assert.deepEqual(decided([[{ ...any, ...inArchive, ...since('sinceImageTransitioned', 90) }]], images), []);
  });

  it('protects what an earlier rule selects, however many', () => {
    const images = Array.from({ length: 5 }, (_, at) => image(`${at}`, [at < 3 ? 'prod' : 'dev'], 10 - at));
    assert.deepEqual(decided([[{ ...patterns('prod'), ...count(9999) }], [{ ...any, ...count(1) }]], images), ['2:3']);
  });

  it('has patterns of whole tags and prefixes of beginnings', () => {
    const images = ['prod', 'production', 'my-prod', 'v1.2-beta', 'v1.2'].map((tag) => image(tag, [tag], 9));
    const selects = (selection: Draft) =>
      decided([[{ ...selection, ...pushed(1) }]], images).map((line) => line.slice(2));
    assert.deepEqual(selects(patterns('prod')), ['prod']);
    assert.deepEqual(selects(patterns('prod*')), ['production', 'prod']);
    assert.deepEqual(selects(patterns('*prod*')), ['production', 'prod', 'my-prod']);
    assert.deepEqual(selects(patterns('v*-beta')), ['v1.2-beta']);
    assert.deepEqual(selects(patterns('v*', '*2')), ['v1.2']);
    assert.deepEqual(selects(patterns('v*2*beta')), ['v1.2-beta']);
    assert.deepEqual(selects(patterns('v*beta*beta')), []);
    assert.deepEqual(selects(patterns('v1.2*2')), []);
    assert.deepEqual(selects(patterns('*.*.*')), []);
    assert.deepEqual(selects(patterns('*1**b*')), ['v1.2-beta']);
    assert.deepEqual(selects({ tagStatus: 'tagged', tagPrefixList: ['prod'] }), ['production', 'prod']);
    assert.deepEqual(selects({ tagStatus: 'tagged', tagPrefixList: ['prod*'] }), []);
  });

  it('excludes images by any of their tags, and untagged ones in any case', () => {
    const images = [
      image('A', ['dev-1', 'prod-1'], 9),
      image('B', ['dev-2'], 9),
      image('C', [], 9),
      image('D', ['x'], 9),
    ];
    assert.deepEqual(decided([[{ ...patterns('!prod*'), ...pushed(1) }]], images), ['1:D', '1:B']);
    assert.deepEqual(decided([[{ ...patterns('dev*', '!prod*'), ...pushed(1) }]], images), ['1:B']);
    assert.deepEqual(decided([[{ ...patterns('!x', '!dev-2'), ...pushed(1) }]], images), ['1:A']);
  });
});

describe('the reasons', () => {
  const reasonOf = (selection: Draft, lone: LifecycleImage, action: Draft = EXPIRE) =>
    explainLifecycle(policyOf([[selection, action]]), [lone], NOW)[0]!.reason;

  it('are given for every image, with the rules that select it', () => {
    const rules = [
      [{ ...patterns('alpha*'), ...count(1) }],
      [{ ...untagged, ...pushed(1) }],
      [{ ...any, ...count(1) }],
    ] as const;
    const explained = explainLifecycle(policyOf(rules), [...E8B, image('Z', [], 9, { storageClass: 'ARCHIVE' })], NOW);
    assert.deepEqual(
      explained.map(({ digest, reason, selectedBy }) => [
        digest,
        reason,
        ...selectedBy.map((by) => [by.rulePriority, by.isMarked]),
      ]),
      [
        [
          'A',
          'rule 1 keeps the newest image with a tag matching alpha*; this one is number 2 by push time',
          [1, true],
          [3, true],
        ],
        [
          'B',
          'rule 2 expires untagged images pushed more than 1 day ago; this one was pushed 3 days ago',
          [2, true],
          [3, true],
        ],
        [
          'C',
          'rule 1 keeps the newest image with a tag matching alpha*; this one is number 1 by push time',
          [1, false],
          [3, true],
        ],
        ['D', 'rule 3 keeps the newest image; this one is number 2 by push time', [3, true]],
        [
          'E',
          'rule 2 expires untagged images pushed more than 1 day ago; this one was pushed 1 day ago',
          [2, false],
          [3, false],
        ],
        ['Z', 'no rule selects it'],
      ],
    );
    assert.deepEqual(
      explained.flatMap(({ decision }) => decision ?? []),
      evaluateLifecycle(policyOf(rules), E8B, NOW),
    );
  });

  it('say what was counted from', () => {
    const pulls = { ...any, ...since('sinceImagePulled', 90) };
    const rule = 'rule 1 archives images not pulled for more than 90 days; this one was ';
    const idle = image('A', [], 400);
    assert.equal(reasonOf(pulls, idle, ARCHIVE), `${rule}pushed 400 days ago and never pulled`);
    assert.equal(
      reasonOf(pulls, { ...idle, pulledAt: ago(90, 1) }, ARCHIVE),
      `${rule}last pulled a little more than 90 days ago`,
    );
    const restored = { ...idle, pulledAt: ago(300), activatedAt: ago(0, 1) };
    assert.equal(reasonOf(pulls, restored, ARCHIVE), `${rule}restored less than a day ago and not pulled since`);
    const archive = { ...any, ...inArchive, ...since('sinceImageTransitioned', 90) };
    assert.equal(
      reasonOf(archive, { ...idle, storageClass: 'ARCHIVE', archivedAt: ago(91) }),
      'rule 1 expires images archived more than 90 days ago; this one was archived 91 days ago',
    );
  });

  it('do not grow with the rule', () => {
    const long = patterns(...Array.from({ length: 100 }, (_, at) => `!${at}${'x'.repeat(200)}`));
    assert.ok(reasonOf({ ...long, ...count(1) }, image('A', ['a'], 1)).length < 600);
  });
});
