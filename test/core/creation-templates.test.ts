import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRepository } from '../../src/core/repositories/create-repository.ts';
import type {
  CreationReason,
  CreationTemplateSettings,
} from '../../src/core/repositories/creation-template-records.ts';
import { call, coreUnderTest, registry } from './core-under-test.ts';

const immutable: CreationTemplateSettings = { appliedFor: ['CREATE_ON_PUSH'], imageTagMutability: 'IMMUTABLE' };

async function mutabilityOf(
  templates: Readonly<Record<string, CreationTemplateSettings>>,
  name: string,
  reason: CreationReason = 'CREATE_ON_PUSH',
  settings = {},
): Promise<string | undefined> {
  await using core = await coreUnderTest(settings);
  for (const [prefix, template] of Object.entries(templates)) {
    await core.creationTemplates.create(call, { prefix, ...template });
  }
  await ensureRepository(core.dependencies, registry, name, reason);
  return (await core.dependencies.metadata.read.repositories.find(registry, name))?.imageTagMutability;
}

test('the longest prefix wins, and ROOT comes last', async () => {
  const mutable: CreationTemplateSettings = { appliedFor: ['CREATE_ON_PUSH'] };
  assert.equal(await mutabilityOf({ prod: mutable, 'prod/team': immutable }, 'prod/team/app'), 'IMMUTABLE');
  assert.equal(await mutabilityOf({ prod: immutable, 'prod/team': mutable }, 'prod/team/app'), 'MUTABLE');
  assert.equal(await mutabilityOf({ ROOT: mutable, prod: immutable }, 'prod/x'), 'IMMUTABLE');
  assert.equal(await mutabilityOf({ ROOT: immutable, prod: mutable }, 'other'), 'IMMUTABLE');
});

test('a prefix stands for names behind its slash', async () => {
  assert.equal(await mutabilityOf({ prod: immutable }, 'prod'), undefined);
  assert.equal(await mutabilityOf({ prod: immutable }, 'production/app'), undefined);
  assert.equal(await mutabilityOf({ 'prod/': immutable }, 'prod/app'), 'IMMUTABLE');
});

test('a template counts for its reasons alone', async () => {
  const replication: CreationTemplateSettings = { ...immutable, appliedFor: ['REPLICATION'] };
  assert.equal(await mutabilityOf({ prod: replication }, 'prod/app'), undefined);
  assert.equal(await mutabilityOf({ prod: replication }, 'prod/app', 'REPLICATION'), 'IMMUTABLE');
  assert.equal(await mutabilityOf({ prod: replication, ROOT: immutable }, 'prod/app'), 'IMMUTABLE');
});

test('without a template a cache and a replica get the defaults, and a push makes nothing unless the server is set so', async () => {
  assert.equal(await mutabilityOf({}, 'a/b', 'PULL_THROUGH_CACHE'), 'MUTABLE');
  assert.equal(await mutabilityOf({}, 'a/b', 'REPLICATION'), 'MUTABLE');
  assert.equal(await mutabilityOf({}, 'a/b'), undefined);
  assert.equal(await mutabilityOf({}, 'a/b', 'CREATE_ON_PUSH', { createOnPush: true }), 'MUTABLE');
});

test('a repository that is there stays as it is', async () => {
  await using core = await coreUnderTest();
  await core.creationTemplates.create(call, { prefix: 'ROOT', ...immutable });
  await ensureRepository(core.dependencies, registry, 'one', 'CREATE_ON_PUSH');
  assert.equal((await core.repositories.get(call, 'one')).imageTagMutability, 'MUTABLE');
});

test('changes leave the rest, and what is empty is taken away', async () => {
  await using core = await coreUnderTest();
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: '*', Action: 'ecr:*' }],
  });
  const filters = [{ filterType: 'WILDCARD', filter: 'dev-*' }] as const;
  await core.creationTemplates.create(call, {
    prefix: 'a',
    appliedFor: ['REPLICATION'],
    description: 'first',
    imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
    exclusionFilters: filters,
    repositoryPolicy: policy,
    resourceTags: [{ key: 'k', value: 'v' }],
  });
  core.pass(10);
  const changed = await core.creationTemplates.update(call, {
    prefix: 'a/',
    imageTagMutability: 'MUTABLE',
    repositoryPolicy: '',
    resourceTags: [],
  });
  assert.equal(changed.description, 'first');
  assert.equal(changed.imageTagMutability, 'MUTABLE');
  for (const gone of ['exclusionFilters', 'repositoryPolicy', 'resourceTags']) assert.ok(!(gone in changed), gone);
  assert.equal(changed.updatedAt.getTime() - changed.createdAt.getTime(), 10_000);
  assert.deepEqual(await core.creationTemplates.getMany(call, ['a']), [changed]);
});

test('of two pushes that make the same repository one does', async () => {
  await using core = await coreUnderTest();
  await core.creationTemplates.create(call, { prefix: 'ROOT', ...immutable });
  const make = () => ensureRepository(core.dependencies, registry, 'made/twice', 'CREATE_ON_PUSH');
  await Promise.all([make(), make(), make()]);
  assert.equal((await core.repositories.get(call, 'made/twice')).imageTagMutability, 'IMMUTABLE');
});
