import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { http } from '../../test/support/http.ts';
import { type ClientOrigin, createTrustedProxies } from './trusted-proxy.ts';

type Headers = Record<string, string | string[]>;

/** Origin of a request over loopback. */
async function originOf(cidrs: string[], headers: Headers, listen = '127.0.0.1'): Promise<ClientOrigin> {
  const proxies = createTrustedProxies(cidrs);
  const server = createServer((request, response) => response.end(JSON.stringify(proxies.originOf(request))));
  await new Promise<void>((resolve) => server.listen(0, listen, resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return (await http(`http://127.0.0.1:${port}/`, { headers: { Host: 'registry.example', ...headers } })).json();
  } finally {
    server.close();
  }
}

/** Origin of a request from any address. */
function originFrom(remoteAddress: string, cidrs: string[], headers: Record<string, string> = {}): ClientOrigin {
  return createTrustedProxies(cidrs).originOf({ headers, socket: { remoteAddress } } as unknown as IncomingMessage);
}

const forwarded = { 'X-Forwarded-For': '1.2.3.4', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'public.example' };

describe('the origin of a request', () => {
  it('is its connection when nobody is trusted', async () => {
    const plain = { address: '127.0.0.1', scheme: 'http', host: 'registry.example' };
    assert.deepEqual(await originOf([], forwarded), plain);
    assert.deepEqual(await originOf(['10.0.0.0/8', '::1'], forwarded), plain);
    assert.deepEqual(await originOf(['127.0.0.0/8'], {}), plain);
  });

  it('is what a trusted proxy says, also to a socket of both families', async () => {
    for (const [cidr, listen] of [
      ['127.0.0.0/8', '127.0.0.1'],
      ['127.0.0.1', '::'],
      ['::ffff:127.0.0.0/104', '::'],
    ] as const) {
      const origin = await originOf([cidr], forwarded, listen);
      assert.deepEqual(origin, { address: '1.2.3.4', scheme: 'https', host: 'public.example' }, cidr);
    }
  });

  it('is the first address from the right that is not trusted', async () => {
    const cases: [string | string[], string][] = [
      ['6.6.6.6, 1.2.3.4', '1.2.3.4'],
      ['6.6.6.6, 1.2.3.4, 10.0.0.1, 10.0.0.2', '1.2.3.4'],
      [['6.6.6.6', '1.2.3.4', '10.0.0.1'], '1.2.3.4'],
      ['10.0.0.3, 10.0.0.1', '10.0.0.3'],
      ['1.2.3.4:5678', '1.2.3.4'],
      ['[2001:DB8:0::1]:443', '2001:db8::1'],
      ['2001:db8::1', '2001:db8::1'],
      ['::ffff:1.2.3.4', '1.2.3.4'],
      ['::FFFF:0102:0304', '1.2.3.4'],
      ['fe80::1%eth0', 'fe80::1'],
    ];
    for (const [value, address] of cases) {
      const origin = await originOf(['127.0.0.1', '10.0.0.0/8'], { 'X-Forwarded-For': value });
      assert.equal(origin.address, address, String(value));
    }
  });

  it('is the last proxy that is known when what it says is no address', async () => {
    for (const value of [
      '',
      'unknown',
      '1.2.3',
      '1.2.3.4.5',
      '999.1.1.1',
      "1.2.3.4'; --",
      '6.6.6.6, _hidden',
      '6.6.6.6,',
    ]) {
      const origin = await originOf(['127.0.0.1'], { 'X-Forwarded-For': value });
      assert.equal(origin.address, '127.0.0.1', value);
    }
    const origin = await originOf(['127.0.0.1', '10.0.0.1'], { 'X-Forwarded-For': '6.6.6.6, nobody, 10.0.0.1' });
    assert.equal(origin.address, '10.0.0.1');
  });

  it('has the scheme and the host that the outermost trusted proxy wrote', async () => {
    const headers = (hops: string) => ({
      'X-Forwarded-For': hops,
      'X-Forwarded-Proto': 'http, https, http',
      'X-Forwarded-Host': 'forged.example, public.example, inner.example',
    });
    const two = await originOf(['127.0.0.1', '10.0.0.1'], headers('6.6.6.6, 1.2.3.4, 10.0.0.1'));
    assert.deepEqual([two.scheme, two.host], ['https', 'public.example']);
    const one = await originOf(['127.0.0.1'], headers('1.2.3.4'));
    assert.deepEqual([one.scheme, one.host], ['http', 'inner.example']);
  });

  it('has no scheme and no host that are none', async () => {
    for (const host of ['', 'a b', 'a/b', 'a@b', 'a:b', 'a?b', 'a\tb', '<a>', '[::1', 'é', 'a'.repeat(300)]) {
      const origin = await originOf(['127.0.0.1'], {
        'X-Forwarded-Host': Buffer.from(host).toString('latin1'),
        'X-Forwarded-Proto': `${host}https`.trim() === 'https' ? 'ftp' : `${Buffer.from(host).toString('latin1')}x`,
      });
      assert.deepEqual([origin.scheme, origin.host], ['http', 'registry.example'], host);
    }
    const good = { 'X-Forwarded-Host': '[2001:db8::1]:8443', 'X-Forwarded-Proto': 'HTTPS' };
    const { scheme, host } = await originOf(['127.0.0.1'], good);
    assert.deepEqual([scheme, host], ['https', '[2001:db8::1]:8443']);
  });

  it('knows its proxies in either family', () => {
    const headers = { 'x-forwarded-for': '1.2.3.4' };
    assert.equal(originFrom('fd00::5', ['fd00::/8'], headers).address, '1.2.3.4');
    assert.equal(originFrom('fd00::5', ['10.0.0.0/8'], headers).address, 'fd00::5');
    assert.equal(originFrom('::ffff:10.1.2.3', ['10.0.0.0/8'], headers).address, '1.2.3.4');
    assert.equal(originFrom('::ffff:11.1.2.3', ['10.0.0.0/8'], headers).address, '11.1.2.3');
    assert.equal(originFrom('', ['0.0.0.0/0'], headers).address, '');
  });

  it('knows ranges from what are none', () => {
    for (const cidr of [
      '',
      'a',
      '10.0.0.0/33',
      '10.0.0/8',
      'fd00::/129',
      '::ffff:10.0.0.0/8',
      '10.0.0.0/',
      '[::1]',
      '10.0.0.0/8/8',
    ]) {
      assert.throws(() => createTrustedProxies([cidr]), { name: 'RangeError', message: /^'/ }, cidr);
    }
  });
});
