import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect, createServer } from 'node:tls';
import { findProgram, run } from '../../../test/support/programs.ts';
import { makeAuthority, makeServerCertificate } from './server-certificate.ts';

const names = ['localhost', '*.dkr.ecr.us-east-1.localhost', '127.0.0.1', '::1', '2001:db8::1:0:ffff'];
const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2060-02-03T04:05:06Z') };
const authority = makeAuthority('Gantry CA test', validity);
const server = makeServerCertificate(names, validity, {
  commonName: 'Gantry CA test',
  privateKey: createPrivateKey(authority.privateKey),
});

describe('a certificate made here', () => {
  const parsed = new X509Certificate(server.certificate);
  const parsedAuthority = new X509Certificate(authority.certificate);

  it('says what it was made of', () => {
    assert.equal(parsed.issuer, 'CN=Gantry CA test');
    assert.deepEqual([parsed.ca, parsedAuthority.ca], [false, true]);
    assert.deepEqual(parsed.keyUsage, ['1.3.6.1.5.5.7.3.1']);
    assert.deepEqual([new Date(parsed.validFrom), new Date(parsed.validTo)], [validity.notBefore, validity.notAfter]);
    assert.ok(parsed.checkPrivateKey(createPrivateKey(server.privateKey)));
    assert.ok(!parsed.checkPrivateKey(createPrivateKey(authority.privateKey)));
  });

  it('is signed by its authority', () => {
    assert.ok(parsed.checkIssued(parsedAuthority) && parsed.verify(parsedAuthority.publicKey));
    assert.ok(parsedAuthority.checkIssued(parsedAuthority) && parsedAuthority.verify(parsedAuthority.publicKey));
  });

  it('is for its names and no others', () => {
    for (const host of ['localhost', '123456789012.dkr.ecr.us-east-1.localhost'])
      assert.ok(parsed.checkHost(host), host);
    for (const host of ['example.com', 'a.b.dkr.ecr.us-east-1.localhost', 'dkr.ecr.us-east-1.localhost']) {
      assert.equal(parsed.checkHost(host), undefined);
    }
    for (const address of ['127.0.0.1', '::1', '2001:db8::1:0:ffff']) assert.ok(parsed.checkIP(address), address);
    for (const address of ['127.0.0.2', '::2']) assert.equal(parsed.checkIP(address), undefined);
  });

  it('has a number of its own', () => {
    const numbers = Array.from({ length: 20 }, () => new X509Certificate(makeAuthority('A', validity).certificate));
    assert.equal(new Set(numbers.map(({ serialNumber }) => serialNumber)).size, 20);
  });

  it('is taken in a handshake by who trusts the authority alone', async () => {
    const listening = createServer({ cert: server.certificate, key: server.privateKey }, (socket) => socket.end());
    listening.on('tlsClientError', () => {});
    listening.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    const trusting = connect({ host: '127.0.0.1', port, ca: authority.certificate });
    await once(trusting, 'secureConnect');
    assert.ok(trusting.authorized);
    trusting.destroy();
    await assert.rejects(once(connect({ host: '127.0.0.1', port }), 'secureConnect'), /certificate/);
    listening.close();
  });

  it('is valid to openssl, strictly', async (t) => {
    const openssl = findProgram('openssl');
    if (openssl === undefined) return t.skip('openssl is not installed');
    const folder = await mkdtemp(join(tmpdir(), 'gantry-'));
    t.after(() => rm(folder, { recursive: true }));
    const [ca, cert] = [join(folder, 'ca.crt'), join(folder, 'server.crt')];
    await writeFile(ca, authority.certificate);
    await writeFile(cert, server.certificate);
    const printed = await run([openssl, 'verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', ca, cert]);
    assert.equal(printed, `${cert}: OK\n`);
  });
});
