import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluateLifecycle, explainLifecycle } from './evaluate-lifecycle.ts';
import type { LifecycleImage } from './lifecycle-image.ts';
import { parseLifecyclePolicy } from './lifecycle-policy.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const ago = (days: number) => new Date(NOW.getTime() - days * 24 * 60 * 60 * 1000);

const EXPIRE = { type: 'expire' };
const ARCHIVE = { type: 'transition', targetStorageClass: 'archive' };
const any = (countNumber: number) => ({ tagStatus: 'any', countType: 'imageCountMoreThan', countNumber });
const tagged = (pattern: string, days: number) => ({
  tagStatus: 'tagged',
  tagPatternList: [pattern],
  countType: 'sinceImagePushed',
  countUnit: 'days',
  countNumber: days,
});

function policyOf(rules: readonly (readonly [selection: object, action: object])[], imageUnit = 'index') {
  const drafts = rules.map(([selection, action], index) => ({ rulePriority: index + 1, selection, action }));
  return parseLifecyclePolicy(JSON.stringify({ imageUnit, rules: drafts }), { extensions: true, rulesMax: 50 });
}

/** An image whose digest is its name. */
function image(digest: string, days: number, others: Partial<LifecycleImage> = {}): LifecycleImage {
  return { digest, tags: [], pushedAt: ago(days), storageClass: 'STANDARD', ...others };
}

const part = (digest: string, days: number, ...parents: string[]) => image(digest, days, { parents });

const decided = (policy: ReturnType<typeof policyOf>, images: readonly LifecycleImage[]) =>
  evaluateLifecycle(policy, images, NOW).map(
    ({ rulePriority, action, digest }) => `${rulePriority} ${action} ${digest}`,
  );

const PLATFORMS = [
  part('arm1', 9, 'v1'),
  part('amd1', 9, 'v1'),
  image('v1', 8, { tags: ['v1'] }),
  part('arm2', 6, 'v2'),
  part('amd2', 6, 'v2'),
  image('v2', 5, { tags: ['v2'] }),
];

describe('an index and its children', () => {
  it('are images of their own, as in ECR, unless the policy says else', () => {
    const policy = policyOf([[any(2), EXPIRE]], 'manifest');
    assert.deepEqual(
      decided(policy, PLATFORMS),
      ['arm1', 'amd1', 'v1', 'arm2'].map((digest) => `1 EXPIRE ${digest}`),
    );
  });

  it('count as one and go as one, the index first', () => {
    const decisions = ['v1', 'arm1', 'amd1'].map((digest) => `1 EXPIRE ${digest}`);
    assert.deepEqual(decided(policyOf([[any(1), EXPIRE]]), PLATFORMS), decisions);
    assert.deepEqual(decided(policyOf([[any(2), EXPIRE]]), PLATFORMS), []);
  });

  it('go into the archive as one', () => {
    const decisions = ['v1', 'arm1', 'amd1'].map((digest) => `1 TRANSITION ${digest}`);
    assert.deepEqual(decided(policyOf([[any(1), ARCHIVE]]), PLATFORMS), decisions);
  });

  it('are not one when the index is no longer there', () => {
    const images = [part('orphan', 9, 'gone'), image('newer', 1)];
    assert.deepEqual(decided(policyOf([[any(1), EXPIRE]]), images), ['1 EXPIRE orphan']);
  });

  it('go through an index of indexes', () => {
    const images = [part('leaf', 9, 'inner'), part('inner', 9, 'outer'), image('outer', 9, { tags: ['old'] })];
    const decisions = ['outer', 'inner', 'leaf'].map((digest) => `1 EXPIRE ${digest}`);
    assert.deepEqual(decided(policyOf([[tagged('old', 1), EXPIRE]]), images), decisions);
  });
});

describe('a child of two indexes', () => {
  const images = [
    part('shared', 9, 'old', 'new'),
    image('old', 9, { tags: ['old'] }),
    image('new', 8, { tags: ['new'] }),
  ];

  it('stays with the one that stays', () => {
    assert.deepEqual(decided(policyOf([[tagged('old', 1), EXPIRE]]), images), ['1 EXPIRE old']);
  });

  it('goes after both, by the rule of the last', () => {
    const policy = policyOf([
      [tagged('new', 1), EXPIRE],
      [tagged('old', 1), EXPIRE],
    ]);
    assert.deepEqual(decided(policy, images), ['1 EXPIRE new', '2 EXPIRE old', '2 EXPIRE shared']);
  });

  it('is archived when one of them is', () => {
    const policy = policyOf([
      [tagged('new', 1), ARCHIVE],
      [tagged('old', 1), EXPIRE],
    ]);
    assert.deepEqual(decided(policy, images), ['1 TRANSITION new', '2 EXPIRE old', '2 TRANSITION shared']);
  });
});

describe('a child with a tag', () => {
  const images = [image('child', 9, { tags: ['amd-1'], parents: ['index'] }), image('index', 8, { tags: ['v1'] })];

  it('does not go with its index', () => {
    assert.deepEqual(decided(policyOf([[tagged('v*', 1), EXPIRE]]), images), ['1 EXPIRE index']);
  });

  it('does not go, nor into the archive, while an index needs it', () => {
    for (const action of [EXPIRE, ARCHIVE]) {
      const policy = policyOf([[tagged('amd*', 1), action]]);
      assert.deepEqual(decided(policy, images), []);
      const [explained] = explainLifecycle(policy, images, NOW);
      assert.deepEqual(
        [explained!.reason, explained!.decision],
        ['it is part of index, which still needs it', undefined],
      );
    }
    const archivesIndex = policyOf([
      [tagged('amd*', 1), EXPIRE],
      [tagged('v*', 1), ARCHIVE],
    ]);
    assert.deepEqual(decided(archivesIndex, images), ['2 TRANSITION index']);
  });

  it('waits for its index, though its own rule comes first', () => {
    const policy = policyOf([
      [tagged('amd*', 1), EXPIRE],
      [tagged('v*', 1), EXPIRE],
    ]);
    assert.deepEqual(decided(policy, images), ['2 EXPIRE index', '1 EXPIRE child']);
  });
});

describe('a child whose rule comes after that of its index', () => {
  it('waits for its turn', () => {
    const policy = policyOf([
      [tagged('v*', 1), EXPIRE],
      [tagged('amd*', 1), EXPIRE],
    ]);
    const images = [
      image('child', 9, { tags: ['amd-1'], parents: ['index'] }),
      image('index', 8, { tags: ['v1'] }),
      image('other', 7, { tags: ['v2'] }),
    ];
    assert.deepEqual(decided(policy, images), ['1 EXPIRE index', '1 EXPIRE other', '2 EXPIRE child']);
  });
});

describe('the storage class of a child', () => {
  const archived = { storageClass: 'ARCHIVE', archivedAt: ago(10) } as const;

  it('keeps it from expiring out of another one than its index', () => {
    const images = [image('child', 9, { parents: ['index'], ...archived }), image('index', 9), image('newer', 1)];
    assert.deepEqual(decided(policyOf([[any(1), EXPIRE]]), images), ['1 EXPIRE index']);
  });

  it('is not changed because its index was archived before', () => {
    const images = [part('child', 9, 'index'), image('index', 9, archived), image('newer', 1)];
    assert.deepEqual(decided(policyOf([[any(1), EXPIRE]]), images), []);
  });
});

it('an index that is kept for the sake of another takes no child along', () => {
  const archived = { storageClass: 'ARCHIVE', archivedAt: ago(100) } as const;
  const images = [
    image('top', 9, archived),
    image('kept', 9, { tags: ['kept'], parents: ['top'], ...archived }),
    image('old', 9, { tags: ['old'] }),
    part('child', 9, 'kept', 'old'),
  ];
  const inArchive = { ...tagged('kept', 90), countType: 'sinceImageTransitioned', storageClass: 'archive' };
  const policy = policyOf([
    [tagged('old', 1), EXPIRE],
    [inArchive, EXPIRE],
  ]);
  assert.deepEqual(decided(policy, images), ['1 EXPIRE old', '1 TRANSITION child']);
});

it('images that claim to be parts of each other stay, with their parts', () => {
  const images = [
    part('A', 9, 'B'),
    part('B', 9, 'A'),
    image('C', 9, { tags: ['x'], parents: ['C'] }),
    image('D', 9, { tags: ['y'], parents: ['A'] }),
    image('E', 1),
  ];
  assert.deepEqual(decided(policyOf([[any(1), EXPIRE]]), images), []);
});

it('the reasons name the index', () => {
  const explained = explainLifecycle(policyOf([[any(1), EXPIRE]]), PLATFORMS, NOW);
  assert.deepEqual(
    explained.map(({ digest, reason }) => [digest, reason]),
    [
      ['arm1', 'it is part of v1, which rule 1 expires'],
      ['amd1', 'it is part of v1, which rule 1 expires'],
      ['v1', 'rule 1 keeps the newest image; this one is number 2 by push time'],
      ['arm2', 'it is part of v2'],
      ['amd2', 'it is part of v2'],
      ['v2', 'rule 1 keeps the newest image; this one is number 1 by push time'],
    ],
  );
});
