import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createSecureContext } from 'node:tls';
import { ensureSelfSigned } from './self-signed.ts';

const now = new Date();
const inDays = (days: number) => new Date(now.getTime() + days * 24 * 3600 * 1000);
const names = ['000000000000.dkr.ecr.us-east-1.localhost', '*.dkr.ecr.us-east-1.localhost', '0:0::A1', '10.0.0.7'];

let parent: string;
let folder: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'gantry-'));
  folder = join(parent, 'tls');
});
afterEach(() => rm(parent, { recursive: true }));

const ensure = (at = now, wanted = names) => ensureSelfSigned({ folder, names: wanted, now: at });
const certificate = async (file: string) => new X509Certificate(await readFile(file));
const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

describe('a self-signed registry', () => {
  it('has an authority, and a certificate for this machine and the names it was given', async () => {
    const { authorityFile, certFile, keyFile, made } = await ensure();
    assert.equal(made, 'authority');
    const server = await certificate(certFile);
    const authority = await certificate(authorityFile);
    assert.ok(server.verify(authority.publicKey) && server.checkIssued(authority));
    assert.ok(server.checkPrivateKey(createPrivateKey(await readFile(keyFile))));
    for (const host of ['localhost', '123456789012.dkr.ecr.us-east-1.localhost'])
      assert.ok(server.checkHost(host), host);
    for (const address of ['127.0.0.1', '::1', '10.0.0.7', '::a1']) assert.ok(server.checkIP(address), address);
    createSecureContext({ cert: await readFile(certFile), key: await readFile(keyFile) });
  });

  it('keeps its keys to itself, also those that somebody opened to others', async () => {
    await ensure();
    const keys = ['ca.key', 'server.pem'].map((name) => join(folder, name));
    for (const key of keys) {
      assert.equal(await modeOf(key), 0o600, key);
      await chmod(key, 0o644);
    }
    await ensure();
    for (const key of keys) assert.equal(await modeOf(key), 0o600, key);
    assert.equal(await modeOf(folder), 0o700);
  });

  it('changes nothing that is good', async () => {
    const { certFile, authorityFile } = await ensure();
    const before = [await readFile(certFile, 'utf8'), await readFile(authorityFile, 'utf8')];
    assert.equal((await ensure(inDays(300))).made, 'nothing');
    assert.deepEqual([await readFile(certFile, 'utf8'), await readFile(authorityFile, 'utf8')], before);
  });

  it('renews its certificate before it ends, and keeps the authority', async () => {
    const { authorityFile, certFile } = await ensure();
    const authority = await readFile(authorityFile, 'utf8');
    assert.equal((await ensure(inDays(380))).made, 'certificate');
    assert.equal(await readFile(authorityFile, 'utf8'), authority);
    assert.ok(Date.parse((await certificate(certFile)).validTo) > inDays(700).getTime());
    assert.ok((await certificate(certFile)).verify((await certificate(authorityFile)).publicKey));
  });

  it('makes a new authority before the old one ends', async () => {
    await ensure();
    const { made, certFile, authorityFile } = await ensure(inDays(3630));
    assert.equal(made, 'authority');
    assert.ok((await certificate(certFile)).verify((await certificate(authorityFile)).publicKey));
  });

  it('never outlives its authority', async () => {
    const { authorityFile } = await ensure();
    const { certFile } = await ensure(inDays(3500));
    assert.equal((await certificate(certFile)).validTo, (await certificate(authorityFile)).validTo);
  });

  it('gets another certificate for other names', async () => {
    const { certFile } = await ensure();
    assert.equal((await ensure(now, ['registry.example'])).made, 'certificate');
    assert.ok((await certificate(certFile)).checkHost('registry.example'));
    assert.equal((await certificate(certFile)).checkIP('10.0.0.7'), undefined);
    assert.equal((await ensure(now, ['registry.example'])).made, 'nothing');
  });

  it('makes anew what is broken or does not belong together', async () => {
    const { certFile, authorityFile } = await ensure();
    await writeFile(certFile, 'broken');
    assert.equal((await ensure()).made, 'certificate');
    const other = await ensureSelfSigned({ folder: join(parent, 'other'), names, now });
    await writeFile(certFile, await readFile(other.certFile));
    assert.equal((await ensure()).made, 'certificate');
    await writeFile(authorityFile, await readFile(other.authorityFile));
    assert.equal((await ensure()).made, 'authority');
    assert.ok((await certificate(certFile)).verify((await certificate(authorityFile)).publicKey));
  });

  it('takes no name that is none', async () => {
    for (const name of ['', 'a b', 'A', 'a,DNS:b', '*', '*.', 'a.*.b', '1.2.3.4/8', 'a\n']) {
      await assert.rejects(ensure(now, [name]), RangeError, name);
    }
  });
});
