import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { copyRegistrySettings, copyRepositorySettings } from '../../src/core/migration/copy-settings.ts';
import type { MigrationReport } from '../../src/core/migration/migration-report.ts';
import { isNamed } from '../../src/core/migration/name-pattern.ts';
import { isSameDocument } from '../../src/core/migration/same-settings.ts';
import { type RepositorySettings, SettingError, type SettingsPlace } from '../../src/core/migration/settings-place.ts';

const plain: RepositorySettings = {
  imageTagMutability: 'MUTABLE',
  exclusionFilters: [],
  scanOnPush: false,
  encryption: { encryptionType: 'AES256' },
  resourceTags: [],
};

/** A registry in memory that notes what is put. */
function place(changes: Partial<SettingsPlace> = {}) {
  const put: [string, ...unknown[]][] = [];
  const repositories = new Map<string, RepositorySettings>();
  const noting =
    (name: string) =>
    async (...values: unknown[]) => {
      put.push([name, ...values]);
    };
  const settings: SettingsPlace = {
    repository: async (name) => repositories.get(name),
    async createRepository(name, made) {
      put.push(['createRepository', name]);
      repositories.set(name, made);
    },
    putTagMutability: noting('putTagMutability'),
    putScanOnPush: noting('putScanOnPush'),
    addResourceTags: noting('addResourceTags'),
    repositoryPolicy: async () => undefined,
    putRepositoryPolicy: noting('putRepositoryPolicy'),
    lifecyclePolicy: async () => undefined,
    putLifecyclePolicy: noting('putLifecyclePolicy'),
    registryPolicy: async () => undefined,
    putRegistryPolicy: noting('putRegistryPolicy'),
    replicationRules: async () => [],
    putReplicationRules: noting('putReplicationRules'),
    templates: async () => [],
    putTemplate: noting('putTemplate'),
    cacheRules: async () => [],
    createCacheRule: noting('createCacheRule'),
    ...changes,
  };
  return { settings, repositories, put, name: 'a place' };
}

function between(source: ReturnType<typeof place>, target: ReturnType<typeof place>, isDryRun = false) {
  const report: MigrationReport = {
    repositories: 0,
    images: { copied: 0, present: 0, failed: 0 },
    blobs: { present: 0, shared: 0, stored: 0 },
    storedBytes: 0,
    passedBytes: 0,
    settings: { put: 0, present: 0, failed: 0 },
    failures: [],
    notes: [],
    isAborted: false,
  };
  return { source, target, isDryRun, report };
}

describe('copying settings', () => {
  it('makes a repository without the key that only its source has, and says so', async () => {
    const [source, target] = [place(), place()];
    const encryption = { encryptionType: 'KMS', kmsKey: 'arn:aws:kms:us-east-1:111122223333:key/1' } as const;
    source.repositories.set('app', { ...plain, encryption });
    const { createRepository } = target.settings;
    target.settings.createRepository = async (name, settings) => {
      if (settings.encryption.encryptionType !== 'AES256') throw new SettingError('refused', 'no key service');
      return createRepository(name, settings);
    };
    const run = between(source, target);
    await copyRepositorySettings(run, 'app', 'app', 'before');
    assert.deepEqual(target.repositories.get('app'), plain);
    assert.deepEqual(run.report.notes, ['app: encrypted with KMS and a key of its own there, with AES256 here']);
    assert.deepEqual(run.report.settings, { put: 1, present: 0, failed: 0 });
  });

  it('changes what differs of a repository that is there, and nothing in a dry run', async () => {
    const tags = [{ key: 'team', value: 'blue' }];
    const source = place({ lifecyclePolicy: async () => '{"rules":[]}' });
    source.repositories.set('app', { ...plain, imageTagMutability: 'IMMUTABLE', resourceTags: tags });
    for (const isDryRun of [true, false]) {
      const target = place();
      target.repositories.set('app', { ...plain, scanOnPush: true, resourceTags: [{ key: 'own', value: '1' }] });
      const run = between(source, target, isDryRun);
      await copyRepositorySettings(run, 'app', 'app', 'before');
      await copyRepositorySettings(run, 'app', 'app', 'after');
      const expected = [
        ['putTagMutability', 'app', { imageTagMutability: 'IMMUTABLE', exclusionFilters: [] }],
        ['putScanOnPush', 'app', false],
        ['addResourceTags', 'app', tags],
        ['putLifecyclePolicy', 'app', '{"rules":[]}'],
      ];
      assert.deepEqual(target.put, isDryRun ? [] : expected);
      assert.equal(run.report.settings.put, 2);
    }
  });

  it('notes what is not served, lists what is refused, and goes on', async () => {
    const rules = [{ destinations: [{ accountId: '111122223333', region: 'eu-west-1' }], prefixes: [] }];
    const source = place({
      registryPolicy: () => Promise.reject(new SettingError('unserved', 'it does not serve GetRegistryPolicy')),
      templates: () => Promise.reject(new SettingError('refused', 'denied')),
      replicationRules: async () => rules,
    });
    const target = place();
    const run = between(source, target);
    await copyRegistrySettings(run);
    assert.deepEqual(run.report.notes, ['registry policy: it does not serve GetRegistryPolicy']);
    assert.deepEqual(run.report.failures, [{ subject: 'repository creation templates', reason: 'denied' }]);
    assert.deepEqual(target.put, [['putReplicationRules', rules]]);
  });

  it('refuses a repository that the source does not have', async () => {
    await assert.rejects(copyRepositorySettings(between(place(), place()), 'app', 'app', 'before'), SettingError);
  });

  it('knows documents that say the same', () => {
    const rule = (rulePriority: number) => ({ rulePriority, action: { type: 'expire' } });
    const one = JSON.stringify({ rules: [rule(2), rule(1)] });
    const other = JSON.stringify({ rules: [rule(1), { action: { type: 'expire' }, rulePriority: 2 }] }, undefined, 2);
    assert.ok(isSameDocument(one, other));
    assert.ok(!isSameDocument(one, JSON.stringify({ rules: [rule(1)] })));
    assert.ok(!isSameDocument('{"Statement":[1,2]}', '{"Statement":[2,1]}'));
    assert.ok(!isSameDocument('{}', undefined));
  });
});

describe('patterns of names', () => {
  it('have stars that stand for anything', () => {
    const cases: [string, string, boolean][] = [
      ['app', 'app', true],
      ['app', 'apps', false],
      ['*', '', true],
      ['prod/*', 'prod/a/b', true],
      ['prod/*', 'prod', false],
      ['*-rc*', 'v1-rc2', true],
      ['a*b*a', 'aba', true],
      ['a*b*a', 'ab', false],
      ['ab*ba', 'aba', false],
      ['a*b*b', 'ab', false],
      ['v1.*', 'v12', false],
    ];
    for (const [pattern, name, isMeant] of cases) assert.equal(isNamed([pattern], name), isMeant, `${pattern} ${name}`);
    assert.ok(isNamed([], 'anything'));
    assert.ok(isNamed(['x', 'y*'], 'yes'));
  });
});
