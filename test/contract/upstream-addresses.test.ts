import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { makeAuthority, makeServerCertificate } from '../../src/drivers/certificates/server-certificate.ts';
import { createUpstreamRegistry } from '../../src/drivers/upstreams/upstream-registry.ts';
import { type Answering, clientOf, failure, startHostile } from '../upstreams/hostile-registry.ts';

const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2060-01-01T00:00:00Z') };
const authority = makeAuthority('Gantry CA test', validity);
const issued = makeServerCertificate(['127.0.0.1', 'registry.test'], validity, {
  commonName: 'Gantry CA test',
  privateKey: createPrivateKey(authority.privateKey),
});
const tls = { key: issued.privateKey, cert: issued.certificate };
const trusting = { certificateAuthorities: [authority.certificate] };

const redirectTo =
  (location: string): Answering =>
  (_, response) =>
    response.writeHead(307, { Location: location }).end('<a>');

const ok: Answering = (_, response) => response.end('{}');

describe('the addresses that an upstream may have', () => {
  const ping = (url: string, options: Parameters<typeof createUpstreamRegistry>[1]) =>
    createUpstreamRegistry({ url }, options).ping();
  const refused = (name: RegExp) => failure('forbidden-address', name);

  it('are not of this machine or a private network unless that is allowed', async () => {
    await using server = await startHostile(ok);
    const { port } = new URL(server.url);
    const urls = [server.url, `http://localhost:${port}`, `http://[::ffff:127.0.0.1]:${port}`, `http://0x7f.1:${port}`];
    for (const url of urls) await assert.rejects(ping(url, {}), refused(/loopback address/), url);
    for (const url of ['https://10.1.2.3', 'https://192.168.0.1', 'https://[fd00::1]', 'https://100.64.0.1']) {
      await assert.rejects(ping(url, { allowPrivate: [server.host] }), refused(/is a .* address, which is not asked/));
    }
    assert.deepEqual(server.asked, []);
    for (const url of urls.slice(0, 2)) await ping(url, { allowPrivate: true });
    await ping(server.url, { allowPrivate: [server.host] });
    assert.equal(server.asked.length, 3);
  });

  it('are never those of clouds metadata and the like', async () => {
    const never = ['169.254.169.254', '[fe80::1]', '0.0.0.0', '[::]', '255.255.255.255', '[::ffff:169.254.169.254]'];
    for (const host of [...never, '100.100.100.200', '[fd00:ec2::254]', '224.0.0.1']) {
      await assert.rejects(
        ping(`https://${host}`, { allowPrivate: true, plainHttp: true }),
        refused(/not asked/),
        host,
      );
    }
  });

  it('are what a name has when it is connected to, all of it, and only then', async () => {
    await using server = await startHostile(ok);
    const { port } = new URL(server.url);
    const url = `http://registry.test:${port}`;
    const resolve = (...addresses: string[]) => {
      const asked: string[] = [];
      const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const find = async (name: string) => {
        asked.push(name);
        return found;
      };
      return { asked, resolve: find };
    };
    await assert.rejects(ping(url, resolve('10.0.0.1')), refused(/registry.test \(10.0.0.1\) is a private address/));
    await assert.rejects(ping(url, resolve('8.8.8.8', '127.0.0.1')), refused(/address/));
    await assert.rejects(ping(url, resolve('8.8.8.8')), refused(/public address, which is not asked without TLS/));
    await assert.rejects(ping(url, resolve()), failure('unavailable', /has no address/));
    const allowed = { ...resolve('127.0.0.1'), allowPrivate: [`registry.test:${port}`] };
    await using client = createUpstreamRegistry({ url }, allowed);
    await client.ping();
    await client.ping();
    assert.deepEqual([allowed.asked, server.asked.length], [['registry.test'], 2]);
  });

  it('are written as that of a registry', () => {
    for (const url of [
      '',
      'registry.test',
      'ftp://registry.test',
      'https://a:b@registry.test',
      'https://a/?b',
      'file:///',
    ]) {
      assert.throws(() => createUpstreamRegistry({ url }), failure('invalid', /address must be/), url);
    }
  });

  it('may have a path before /v2/', async () => {
    await using server = await startHostile(ok);
    await using client = clientOf({ ...server, url: `${server.url}/some/where` });
    await client.ping();
    assert.deepEqual(server.asked, ['GET /some/where/v2/']);
  });
});

describe('the redirects of an upstream', () => {
  const get = async (location: string) => {
    await using server = await startHostile(redirectTo(location));
    await using client = clientOf(server);
    return await client.getManifest('a', 'b');
  };

  it('lead to no address that may not be asked', async () => {
    await using inside = await startHostile(ok);
    const { port } = new URL(inside.url);
    const refused = failure('forbidden-address', /redirected to .* address, which is not asked/);
    const places = ['http://169.254.169.254/latest/meta-data/', 'http://10.0.0.1/', '//192.168.1.1/x'];
    for (const place of [...places, inside.url, `http://localhost:${port}/`])
      await assert.rejects(get(place), refused, place);
    assert.deepEqual(inside.asked, []);
    await assert.rejects(get('file:///etc/passwd'), failure('invalid', /file: is no protocol/));
    await assert.rejects(get('http://['), failure('invalid', /redirects to what is no URL/));
  });

  it('come to an end', async () => {
    await using server = await startHostile(redirectTo('/v2/again'));
    await using client = clientOf(server);
    await assert.rejects(client.getManifest('a', 'b'), failure('invalid', /redirects more than 5 times/));
    assert.equal(server.asked.length, 6);
  });

  it('get no credentials along that are not theirs', async () => {
    await using storage = await startHostile((_, response) =>
      response.writeHead(200, { 'Content-Length': 1 }).end('x'),
    );
    const digest = `sha256:${'a'.repeat(64)}` as const;
    await using server = await startHostile((request, response) => {
      if (request.headers.authorization !== undefined)
        return redirectTo(`${storage.url}/x?signed`)(request, response, 0);
      return response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
    });
    const options = { allowPrivate: [server.host, storage.host], credentials: { username: 'u', password: 'p' } };
    await using client = clientOf(server, options);
    await using reader = await client.openBlob('a', digest);
    assert.equal((await reader.next())?.byteLength, 1);
    assert.deepEqual([storage.asked, storage.authorizations], [['GET /x?signed'], [undefined]]);
    assert.deepEqual(server.authorizations, [undefined, 'Basic dTpw']);
  });

  it('keep TLS', async () => {
    await using plain = await startHostile(ok);
    await using server = await startHostile(redirectTo(plain.url), tls);
    await using client = clientOf(server, { ...trusting, allowPrivate: true });
    await assert.rejects(client.getManifest('a', 'b'), failure('invalid', /redirects from https to http/));
    assert.deepEqual(plain.asked, []);
  });
});

describe('an upstream with TLS', () => {
  it('is asked when its certificate is trusted', async () => {
    await using server = await startHostile(ok, tls);
    await using client = clientOf(server, trusting);
    await client.ping();
  });

  it('is not asked otherwise, nor by another name', async () => {
    await using server = await startHostile(ok, tls);
    await using stranger = clientOf(server);
    await assert.rejects(stranger.ping(), failure('unavailable', /no TLS connection/));
    const { port } = new URL(server.url);
    const misnamed = { url: `https://localhost:${port}`, host: `localhost:${port}` };
    await using client = clientOf(misnamed, trusting);
    await assert.rejects(client.ping(), failure('unavailable', /no TLS connection: Hostname/));
    await using plain = await startHostile(ok);
    await using secure = clientOf({ ...plain, url: plain.url.replace('http:', 'https:') });
    await assert.rejects(secure.ping(), failure('unavailable', /no TLS connection/));
    assert.deepEqual([server.asked, plain.asked], [[], []]);
  });

  it('stays with it where a proxy before it makes it forget', async () => {
    await using server = await startHostile((request, response) => {
      const isFirst = request.url?.endsWith('?n=1000');
      const link = isFirst ? { Link: `<http://${request.headers.host}/v2/a/tags/list?last=x>; rel="next"` } : {};
      response.writeHead(200, link).end(JSON.stringify({ tags: [isFirst ? 'x' : 'y'] }));
    }, tls);
    await using client = clientOf(server, trusting);
    assert.deepEqual(await Array.fromAsync(client.listTags('a')), ['x', 'y']);
  });
});
