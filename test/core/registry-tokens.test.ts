import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, coreUnderTest, partsOver } from './core-under-test.ts';

const { caller, registry } = call;
const other = { accountId: '999988887777', region: 'eu-west-1' };

test('a token names its caller and registry, and says when its twelve hours are over', async () => {
  await using core = await coreUnderTest();
  const { password, expiresAt } = await core.tokens.issue(caller, other);
  assert.equal(expiresAt.getTime() - core.dependencies.now().getTime(), 12 * 3600_000);
  core.pass(12 * 3600 - 1);
  assert.deepEqual(await core.tokens.read(password), { caller, registry: other, expiresAt, expired: false });
  core.pass(1);
  assert.deepEqual(await core.tokens.read(password), { caller, registry: other, expiresAt, expired: true });
});

test('a token of which anything was changed is no token', async () => {
  await using core = await coreUnderTest();
  const { password } = await core.tokens.issue(caller, registry);
  const [keyId = '', payload = '', signature = ''] = password.split('.');
  const forged = Buffer.from(JSON.stringify({ caller, registry: other, expires: 9e15 })).toString('base64url');
  const changed = [
    '',
    'open',
    '..',
    `${keyId}.${payload}`,
    `${keyId}.${payload}.`,
    `${password}.`,
    `${keyId}.${forged}.${signature}`,
    `unknown.${payload}.${signature}`,
    `${keyId}.${payload}.${signature.slice(0, -2)}`,
    `${keyId}.${payload}.${Buffer.alloc(32).toString('base64url')}`,
  ];
  for (const text of changed) assert.equal(await core.tokens.read(text), undefined, text);
});

test('a token of another store is no token, one of this store is after a restart', async () => {
  await using core = await coreUnderTest();
  const { password } = await core.tokens.issue(caller, registry);
  await using stranger = await coreUnderTest();
  await stranger.tokens.issue(caller, registry);
  assert.equal(await stranger.tokens.read(password), undefined);
  assert.ok(await partsOver(core.dependencies).tokens.read(password));
});

test('those who bring a key that a node does not know yet wait for it together', async () => {
  await using core = await coreUnderTest();
  const { password } = await core.tokens.issue(caller, registry);
  const { tokens } = partsOver(core.dependencies);
  const read = await Promise.all([tokens.read(password), tokens.read(password)]);
  for (const token of read) assert.ok(token);
});

test('a token is no bad one because the store could not be asked for its key a moment ago', async () => {
  await using core = await coreUnderTest();
  const { password } = await core.tokens.issue(caller, registry);
  const { metadata } = core.dependencies;
  let failures = 1;
  const signingKeys = {
    ...metadata.read.signingKeys,
    all: (purpose: 'registry-token') =>
      failures-- > 0 ? Promise.reject(new Error('gone')) : metadata.read.signingKeys.all(purpose),
  };
  const { tokens } = partsOver({
    ...core.dependencies,
    metadata: { ...metadata, read: { ...metadata.read, signingKeys } },
  });
  await assert.rejects(tokens.read(password), /gone/);
  assert.ok(await tokens.read(password));
});

test('what one key signed is no use where another is asked for', async () => {
  await using core = await coreUnderTest();
  const { password } = await core.tokens.issue(caller, registry);
  const [keyId, , signature] = password.split('.');
  await assert.rejects(
    core.links.open(
      `/layers/${registry.accountId}/us-east-1/sha256:00/one?expires=9&key=${keyId}&signature=${signature}`,
    ),
  );
});

test('nodes that start at once agree on one key', async () => {
  await using core = await coreUnderTest();
  const nodes = [partsOver(core.dependencies), partsOver(core.dependencies)];
  const issued = await Promise.all(nodes.map(({ tokens }) => tokens.issue(caller, registry)));
  for (const { password } of issued) for (const { tokens } of nodes) assert.ok(await tokens.read(password));
  assert.equal((await core.dependencies.metadata.read.signingKeys.all('registry-token')).length, 1);
});
