import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readAccessCommand, readAuditFile } from './access-config.ts';
import { readServeConfig } from './config.ts';

const network = { host: '0.0.0.0' };
const refused = (flags: Record<string, string | boolean>, words: RegExp, environment: Record<string, string> = {}) =>
  assert.throws(() => readServeConfig(flags, environment), { name: 'ConfigError', message: words });

describe('who gets in', () => {
  it('is everybody on loopback, and whom policies let in everywhere else', () => {
    for (const host of ['127.0.0.1', 'localhost', '::1']) assert.equal(readServeConfig({ host }, {}).auth, 'open');
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'registry.example.com', '127.0.0.1.example.com']) {
      assert.equal(readServeConfig({ host }, {}).auth, 'enforced', host);
    }
  });

  it('is what the operator says', () => {
    assert.equal(readServeConfig({ auth: 'enforced' }, {}).auth, 'enforced');
    assert.equal(readServeConfig({}, { GANTRY_AUTH: 'enforced' }).auth, 'enforced');
    assert.equal(readServeConfig({ ...network, 'insecure-open': true }, {}).auth, 'open');
    assert.equal(readServeConfig({ ...network, 'insecure-open': true, auth: 'open' }, {}).auth, 'open');
    refused({ auth: 'on' }, /--auth \(GANTRY_AUTH\) must be one of open, enforced, not 'on'/);
  });

  it('refuses what contradicts itself', () => {
    refused({ ...network, auth: 'open' }, /Every caller is admitted, so listening on 0\.0\.0\.0 .*--insecure-open/);
    refused({ auth: 'enforced', 'insecure-open': true }, /give one of them/);
    refused({ 'anonymous-pull': true }, /--anonymous-pull has no meaning .* add --auth enforced/);
    assert.equal(readServeConfig({ auth: 'enforced', 'anonymous-pull': true }, {}).anonymousPull, true);
  });

  it('makes repositories on push by itself only for everybody on loopback', () => {
    assert.equal(readServeConfig({}, {}).createOnPush, true);
    assert.equal(readServeConfig({ auth: 'enforced' }, {}).createOnPush, false);
    assert.equal(readServeConfig({ auth: 'enforced', 'create-on-push': true }, {}).createOnPush, true);
  });

  it('takes a root key from two variables, and from both alone', () => {
    const accessKeyId = 'AKIAIOSFODNN7EXAMPLE';
    const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
    const variables = { GANTRY_ROOT_ACCESS_KEY_ID: accessKeyId, GANTRY_ROOT_SECRET_ACCESS_KEY: secretAccessKey };
    assert.deepEqual(readServeConfig({}, variables).rootAccessKey, { accessKeyId, secretAccessKey });
    assert.equal(readServeConfig({}, {}).rootAccessKey, undefined);
    refused({}, /go together/, { GANTRY_ROOT_ACCESS_KEY_ID: accessKeyId });
    refused({}, /go together/, { GANTRY_ROOT_SECRET_ACCESS_KEY: secretAccessKey });
    refused({}, /16 to 128/, { ...variables, GANTRY_ROOT_ACCESS_KEY_ID: 'root' });
    const short = { ...variables, GANTRY_ROOT_SECRET_ACCESS_KEY: 'hunter2' };
    refused({}, /16 to 128/, short);
    refused({}, /^(?!.*hunter2)/s, short);
  });

  it('keeps the key beside the data unless told otherwise, and in memory with it', () => {
    assert.equal(readServeConfig({ data: '/srv/gantry' }, {}).keyFile, '/srv/gantry/access.key');
    assert.equal(readServeConfig({ ephemeral: true }, {}).keyFile, undefined);
    assert.equal(readServeConfig({ 'key-file': '/etc/key' }, {}).keyFile, '/etc/key');
    assert.equal(readAccessCommand({ data: '/srv/gantry' }, {}).keyFile, '/srv/gantry/access.key');
    assert.equal(readAccessCommand({}, { GANTRY_KEY_FILE: '/etc/key' }).keyFile, '/etc/key');
  });
});

describe('how clients reach the server', () => {
  it('reads trusted proxies', () => {
    const proxies = (text: string) => readServeConfig({ 'trusted-proxy': text }, {}).trustedProxies;
    assert.deepEqual(proxies('10.0.0.0/8, fd00::/8,192.0.2.1'), ['10.0.0.0/8', 'fd00::/8', '192.0.2.1']);
    assert.deepEqual(readServeConfig({}, {}).trustedProxies, []);
    for (const wrong of ['10.0.0.0/33', 'proxy.example.com', '10.0.0.0/8/8', 'fd00::/129', '*']) {
      assert.throws(() => proxies(wrong), /must be addresses or ranges/);
    }
  });

  it('reads TLS', () => {
    const files = { 'tls-cert': 'cert.pem', 'tls-key': 'key.pem' };
    assert.deepEqual(readServeConfig(files, {}).tls, { kind: 'files', certFile: 'cert.pem', keyFile: 'key.pem' });
    assert.deepEqual(readServeConfig({ tls: 'self-signed' }, {}).tls, { kind: 'self-signed' });
    assert.equal(readServeConfig({}, {}).tls, undefined);
    refused({ 'tls-cert': 'cert.pem' }, /--tls-cert needs --tls-key/);
    refused({ 'tls-key': 'key.pem' }, /--tls-key needs --tls-cert/);
    refused({ ...files, tls: 'self-signed' }, /give one of them/);
    refused({ tls: 'on' }, /one of self-signed/);
  });

  it('reads rates', () => {
    assert.equal(readServeConfig({}, {}).throttle, undefined);
    assert.equal(readServeConfig({ throttle: 'ecr' }, {}).throttle, 'ecr');
    refused({ throttle: 'slow' }, /one of off, ecr/);
  });
});

describe('the audit trail', () => {
  const sizes = { bytesMax: 104_857_600, filesMax: 10 };

  it('is kept beside the data where access is enforced, and elsewhere when asked for', () => {
    const kept = (flags: Record<string, string | boolean>) => readServeConfig(flags, {}).audit;
    assert.equal(kept({}), undefined);
    assert.deepEqual(kept({ auth: 'enforced', data: '/srv' }), { file: '/srv/audit.jsonl', ...sizes });
    assert.equal(kept({ auth: 'enforced', ephemeral: true }), undefined);
    assert.equal(kept({ auth: 'enforced', audit: 'off' }), undefined);
    assert.deepEqual(kept({ audit: 'stdout' }), { file: 'stdout', ...sizes });
    const small = { audit: 'a', 'audit-max-bytes': '1000', 'audit-max-files': '2' };
    assert.deepEqual(kept(small), { file: 'a', bytesMax: 1000, filesMax: 2 });
    refused({ audit: 'a', 'audit-max-bytes': '0' }, /--audit-max-bytes .* above 0/);
  });

  it('is read where it is written', () => {
    assert.equal(readAuditFile({ data: '/srv' }, {}), '/srv/audit.jsonl');
    assert.equal(readAccessCommand({ data: '/srv' }, {}).auditFile, '/srv/audit.jsonl');
    assert.equal(readAuditFile({}, { GANTRY_AUDIT: '/var/log/audit.jsonl' }), '/var/log/audit.jsonl');
    for (const none of ['stdout', 'off']) {
      assert.equal(readAccessCommand({ audit: none }, {}).auditFile, undefined);
      assert.throws(() => readAuditFile({ audit: none }, {}), { name: 'ConfigError', message: /no file to read/ });
    }
  });
});
