import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readFolderConfig, readServeConfig } from './config.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'token' };
const kmsOf = (kms: string, environment: Record<string, string> = {}) => readServeConfig({ kms }, environment).kms;

describe('where keys are', () => {
  it('is here unless told otherwise', () => {
    assert.deepEqual(readServeConfig({}, KEYS).kms, { kind: 'local' });
    assert.deepEqual(readFolderConfig({}, {}).kms, { kind: 'local' });
    assert.deepEqual(kmsOf('local'), { kind: 'local' });
  });

  it('is AWS KMS, or what speaks its API', () => {
    const nothing = { region: undefined, endpoint: undefined, defaultKey: undefined, credentials: undefined };
    assert.deepEqual(kmsOf('aws'), { kind: 'aws', ...nothing });
    assert.deepEqual(kmsOf('aws:?region=eu-central-1&defaultKey=alias/registry'), {
      kind: 'aws',
      ...nothing,
      region: 'eu-central-1',
      defaultKey: 'alias/registry',
    });
    const given = readFolderConfig({}, { GANTRY_KMS: 'aws:?endpoint=http://10.0.0.1:8080/' }).kms;
    assert.deepEqual(given, { kind: 'aws', ...nothing, endpoint: 'http://10.0.0.1:8080' });
  });

  it('takes credentials from the environment, its own first', () => {
    const credentialsOf = (environment: Record<string, string>) => {
      const kms = kmsOf('aws', environment);
      return kms.kind === 'aws' ? kms.credentials : undefined;
    };
    assert.deepEqual(credentialsOf(KEYS), { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'token' });
    const own = { GANTRY_KMS_ACCESS_KEY_ID: 'own', GANTRY_KMS_SECRET_ACCESS_KEY: 'of us' };
    assert.deepEqual(credentialsOf({ ...KEYS, ...own }), { accessKeyId: 'own', secretAccessKey: 'of us' });
    assert.throws(() => credentialsOf({ GANTRY_KMS_ACCESS_KEY_ID: 'own' }), /go together/);
  });

  it('is refused with what is wrong about it', () => {
    const refused = (kms: string, message: RegExp) => assert.throws(() => kmsOf(kms), { name: 'ConfigError', message });
    refused('vault', /must be local, or aws, or an address such as aws:\?region/);
    refused('aws:eu-central-1', /must be local, or aws/);
    refused('aws:?key=alias/x', /has a parameter 'key'; there are region, endpoint, defaultKey/);
    refused('aws:?endpoint=10.0.0.1', /has endpoint=10\.0\.0\.1; it is scheme and host/);
    refused('aws:?region=Here', /has region=Here; it is a region such as/);
    refused('aws:?defaultKey=', /has defaultKey=; it is an alias such as/);
  });
});
