import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UpstreamCredentials } from '../../src/core/upstreams/upstream.ts';
import { type Answering, clientOf, failure, startHostile } from '../upstreams/hostile-registry.ts';

const credentials = { username: 'u', password: 'p' };
const basic = 'Basic dTpw';
const noTags = JSON.stringify({ tags: [] });
type Client = ReturnType<typeof clientOf>;

const tags = (client: Client, repository: string) => Array.fromAsync(client.listTags(repository));

/** A registry whose token service is its own, and gives tokens for what it is asked. */
function withTokens(challenge: (host: string) => string, token: Answering): Answering {
  return (request, response, count) => {
    if (request.url?.startsWith('/token')) return token(request, response, count);
    if (request.headers.authorization?.startsWith('Bearer good')) return response.end(noTags);
    return response.writeHead(401, { 'WWW-Authenticate': challenge(String(request.headers.host)) }).end();
  };
}

const ownTokens = (token: Answering, scope = '') =>
  withTokens((host) => `Basic realm="x", Bearer realm="http://${host}/token?a=b",service="s"${scope}`, token);

const goodToken: Answering = (_, response) => response.end(JSON.stringify({ token: 'good', expires_in: 300 }));

describe('logging in to an upstream', () => {
  it('asks for a token for what is wanted, once, before Basic is tried', async () => {
    await using server = await startHostile(ownTokens(goodToken));
    await using client = clientOf(server, { credentials });
    await tags(client, 'a');
    await tags(client, 'a');
    const token = '/token?a=b&service=s&scope=repository%3Aa%3Apull&account=u';
    const list = 'GET /v2/a/tags/list?n=1000';
    assert.deepEqual(server.asked, [list, `GET ${token}`, list, list]);
    assert.deepEqual(server.authorizations, [undefined, basic, 'Bearer good', 'Bearer good']);
    await Promise.all([tags(client, 'b'), tags(client, 'b')]);
    assert.equal(server.asked.filter((asked) => asked.includes('%3Ab%3Apull')).length, 1);
  });

  it('asks for what the registry wants beside it', async () => {
    await using server = await startHostile(ownTokens(goodToken, ',scope="repository:x/a:pull"'));
    await using client = clientOf(server);
    await tags(client, 'a');
    assert.match(server.asked[1] ?? '', /scope=repository%3Aa%3Apull&scope=repository%3Ax%2Fa%3Apull$/);
    assert.deepEqual(server.authorizations, [undefined, undefined, 'Bearer good']);
  });

  it('asks for another token when one expires, and when it is not taken any more', async () => {
    let now = new Date('2026-03-01T12:00:00Z');
    const isRevoked: Answering = (request, response, count) => {
      if (count === 5) return response.writeHead(401, { 'WWW-Authenticate': challengeOf(request.headers.host) }).end();
      return ownTokens(goodToken)(request, response, count);
    };
    const challengeOf = (host = '') => `Bearer realm="http://${host}/token",error="invalid_token"`;
    await using server = await startHostile(isRevoked);
    await using client = clientOf(server, { now: () => now });
    const asked = async () => {
      await tags(client, 'a');
      return server.asked.filter((one) => one.includes('/token')).length;
    };
    assert.deepEqual([await asked(), await asked(), await asked(), server.asked.length], [1, 1, 2, 7]);
    now = new Date(now.getTime() + 299_000);
    assert.equal(await asked(), 3);
  });

  it('is not tried again and again', async () => {
    const bad: Answering = (_, response) => response.end(JSON.stringify({ access_token: 'bad' }));
    await using server = await startHostile(ownTokens(bad));
    await using client = clientOf(server, { credentials });
    await assert.rejects(client.ping(), failure('unauthorized', /login: it answered 401/));
    assert.equal(server.asked.length, 3);
    const tooSmall = withTokens((host) => `Bearer realm="http://${host}/token",error="insufficient_scope"`, bad);
    await using other = await startHostile(tooSmall);
    await using denied = clientOf(other);
    await assert.rejects(denied.getManifest('a', 'b'), failure('denied', /answered 401/));
  });

  it('says what a token service has against it', async () => {
    const services: [Answering, ...Parameters<typeof failure>][] = [
      [
        (_, response) => response.writeHead(401).end('{"details":"wrong"}'),
        'unauthorized',
        /no token of .*401 \(wrong\)/,
      ],
      [(_, response) => response.writeHead(403).end(), 'unauthorized', /no token/],
      [(_, response) => response.writeHead(429, { 'Retry-After': '3' }).end(), 'too-many-requests', /no token/],
      [(_, response) => response.writeHead(500).end(), 'unavailable', /no token/],
      [(_, response) => response.end('{}'), 'invalid', /gave no token/],
      [(_, response) => response.end('{"token":"a\\r\\nb"}'), 'invalid', /gave no token/],
      [(_, response) => response.end(`"${'x'.repeat(2_000_000)}`), 'invalid', /larger than 1048576 bytes/],
      [
        (_, response) => response.writeHead(302, { Location: 'http://10.0.0.1/' }).end(),
        'forbidden-address',
        /10.0.0.1/,
      ],
    ];
    for (const [service, code, words] of services) {
      await using server = await startHostile(ownTokens(service));
      await using client = clientOf(server, { credentials });
      await assert.rejects(client.ping(), failure(code, words));
    }
  });

  it('gives no password to a token service that it may not ask, or that others could listen to', async () => {
    const realms: [string, ...Parameters<typeof failure>][] = [
      ['http://169.254.169.254/token', 'invalid', /gets no password without TLS/],
      ['https://169.254.169.254/token', 'forbidden-address', /link-local address/],
      ['http://auth.test/token', 'invalid', /auth.test gets no password without TLS/],
      ['/token', 'invalid', /token service has no address/],
      ['file:///token', 'invalid', /token service has no address/],
    ];
    for (const [realm, code, words] of realms) {
      await using server = await startHostile(withTokens(() => `Bearer realm="${realm}"`, goodToken));
      await using client = clientOf(server, { credentials });
      await assert.rejects(client.ping(), failure(code, words), realm);
      assert.deepEqual(server.authorizations, [undefined]);
    }
  });

  it('shows Basic credentials from then on, and asks for others when they are refused', async () => {
    let password = 'one';
    let expiresIn = 1000;
    const now = new Date('2026-03-01T12:00:00Z');
    let given = 0;
    const provider = async (): Promise<UpstreamCredentials> => {
      given += 1;
      return { username: 'AWS', password, expiresAt: new Date(now.getTime() + expiresIn * 1000) };
    };
    const accepting: Answering = ({ headers: { authorization } }, response) => {
      if (authorization === `Basic ${btoa(`AWS:${password}`)}`) return response.end(noTags);
      const status = authorization === undefined || password === 'two' ? 401 : 403;
      return response.writeHead(status, { 'WWW-Authenticate': 'Basic realm="x",service="ecr.amazonaws.com"' }).end();
    };
    await using server = await startHostile(accepting);
    await using client = clientOf(server, { credentials: provider, now: () => now });
    const asked = async () => {
      await tags(client, 'a');
      return [given, server.asked.length];
    };
    assert.deepEqual(
      [await asked(), await asked()],
      [
        [1, 2],
        [1, 3],
      ],
    );
    password = 'two';
    assert.deepEqual(await asked(), [2, 5]);
    password = 'three';
    expiresIn = 30;
    assert.deepEqual(await asked(), [3, 7]);
    assert.deepEqual(await asked(), [4, 8]);
  });

  it('fails as its provider does, and does not ask twice with a password that is wrong', async () => {
    const never: Answering = (_, response) => response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
    await using server = await startHostile(never);
    const reason = new Error('no secret of that name');
    await using failing = clientOf(server, { credentials: () => Promise.reject(reason) });
    await assert.rejects(failing.ping(), reason);
    await using wrong = clientOf(server, { credentials });
    await assert.rejects(wrong.ping(), failure('unauthorized', /answered 401/));
    await assert.rejects(wrong.ping(), failure('unauthorized', /answered 401/));
    assert.deepEqual(server.authorizations, [undefined, undefined, basic, basic]);
  });
});
