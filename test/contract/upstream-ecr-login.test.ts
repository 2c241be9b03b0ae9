import assert from 'node:assert/strict';
import { it } from 'node:test';
import { UpstreamError } from '../../src/core/upstreams/upstream.ts';
import { ecrLogin } from '../../src/drivers/upstreams/ecr-login.ts';
import { basic, prepareAccess, startEnforcedServer } from '../support/access.ts';
import { http } from '../support/http.ts';

const host = '000000000000.dkr.ecr.us-east-1.amazonaws.com';

it('logs in at ECR with an access key, and says what ECR has against it', async () => {
  await using server = await startEnforcedServer();
  const { root } = prepareAccess(server);
  const { username, password, expiresAt } = await ecrLogin(host, root, server.url)();
  assert.equal(username, 'AWS');
  assert.ok(expiresAt && expiresAt.getTime() > Date.now() + 11 * 3600_000);
  assert.equal((await http(`${server.url}/v2/`, { headers: basic(password) })).status, 200);
  const wrong = ecrLogin(host, { ...root, secretAccessKey: 'wrong' }, server.url)();
  await assert.rejects(wrong, (error) => {
    assert.ok(error instanceof UpstreamError);
    assert.equal(error.code, 'unauthorized');
    assert.match(
      error.message,
      /^000000000000\.dkr\.ecr.*: login: GetAuthorizationToken failed: InvalidSignatureException/,
    );
    return true;
  });
});
