import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { basic, ecrCall, passwordOf, policyOf, prepareAccess, startEnforcedServer } from '../support/access.ts';
import { http } from '../support/http.ts';
import { assertOciError, assertStatus } from './oci-answers.ts';

describe('/v2/ behind a proxy where access is enforced', () => {
  it('sends clients to the token endpoint by the name and scheme that they used', async () => {
    await using server = await startEnforcedServer({ args: ['--anonymous-pull', '--trusted-proxy', '127.0.0.1'] });
    const forwarded = { 'X-Forwarded-Host': 'registry.example.com', 'X-Forwarded-Proto': 'https' };
    const challenged = await http(`${server.url}/v2/team/app/manifests/latest`, { headers: forwarded });
    const realm = 'Bearer realm="https://registry.example.com/auth/token",service="ecr.amazonaws.com"';
    assert.equal(challenged.headers['www-authenticate'], `${realm},scope="repository:team/app:pull"`);
  });

  it('believes nobody else about them', async () => {
    await using server = await startEnforcedServer({ args: ['--anonymous-pull', '--trusted-proxy', '192.0.2.1'] });
    const forwarded = { 'X-Forwarded-Host': 'evil.example.com', 'X-Forwarded-Proto': 'https' };
    const challenged = await http(`${server.url}/v2/`, { headers: forwarded });
    const realm = `Bearer realm="${server.url}/auth/token",service="ecr.amazonaws.com"`;
    assert.equal(challenged.headers['www-authenticate'], realm);
  });

  it('sends them to its public URL if it has one', async () => {
    await using server = await startEnforcedServer({
      args: ['--anonymous-pull', '--public-url', 'https://registry.example.com'],
    });
    const challenged = await http(`${server.url}/v2/`);
    assert.match(
      String(challenged.headers['www-authenticate']),
      /^Bearer realm="https:\/\/registry\.example\.com\/auth/,
    );
    assertStatus(await http(`${server.url}/auth/token?service=ecr.amazonaws.com`), 200);
  });

  it('decides by the address that a trusted proxy names', async () => {
    await using server = await startEnforcedServer({ args: ['--trusted-proxy', '127.0.0.1'] });
    const access = prepareAccess(server);
    await ecrCall(server.url, 'CreateRepository', { repositoryName: 'near/image' }, access.root);
    const Condition = { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' }, Bool: { 'aws:SecureTransport': 'true' } };
    const near = await access.user('near', {
      statements: [
        { Effect: 'Allow', Action: 'ecr:ListImages', Resource: '*', Condition },
        { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
      ],
    });
    const authorization = basic(await passwordOf(server.url, near));
    const list = (forwarded: Record<string, string>) =>
      http(`${server.url}/v2/near/image/tags/list`, { headers: { ...authorization, ...forwarded } });
    const https = { 'X-Forwarded-Proto': 'https' };
    assertStatus(await list({ ...https, 'X-Forwarded-For': '203.0.113.7' }), 200);
    assertOciError(await list({ ...https, 'X-Forwarded-For': '198.51.100.7' }), 403, 'DENIED');
    assertOciError(await list({ 'X-Forwarded-For': '203.0.113.7' }), 403, 'DENIED');
    assertOciError(await list({ ...https, 'X-Forwarded-For': '203.0.113.7, 198.51.100.7' }), 403, 'DENIED');
  });
});

describe('the token endpoint', () => {
  it('is not there without --anonymous-pull, whatever a policy says', async () => {
    await using server = await startEnforcedServer();
    const { root } = prepareAccess(server);
    await ecrCall(server.url, 'CreateRepository', { repositoryName: 'copied' }, root);
    const policyText = policyOf({ Effect: 'Allow', Principal: '*', Action: 'ecr:*' });
    await ecrCall(server.url, 'SetRepositoryPolicy', { repositoryName: 'copied', policyText }, root);
    const answer = await http(`${server.url}/auth/token`);
    assert.notEqual(answer.status, 200);
    const challenged = await http(`${server.url}/v2/copied/tags/list`);
    assertStatus(challenged, 401);
    assert.match(String(challenged.headers['www-authenticate']), /^Basic /);
  });
});
