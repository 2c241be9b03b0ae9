import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readFolderConfig, readServeConfig } from './config.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };
const bucketOf = (blobs: string, environment: Record<string, string> = KEYS) =>
  readServeConfig({ blobs }, environment).bucket;
const refused = (flags: Record<string, string | boolean>, words: RegExp, environment: Record<string, string> = KEYS) =>
  assert.throws(() => readServeConfig(flags, environment), { name: 'ConfigError', message: words });

describe('where bytes are', () => {
  it('is the data folder unless told otherwise', () => {
    assert.equal(readServeConfig({}, KEYS).bucket, undefined);
    assert.equal(readFolderConfig({}, {}).bucket, undefined);
  });

  it('is a bucket, of Amazon or of another', () => {
    const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
    const elsewhere = { endpoint: undefined, publicEndpoint: undefined, pathStyle: false, credentials };
    assert.deepEqual(bucketOf('s3://layers'), { bucket: 'layers', prefix: '', region: 'us-east-1', ...elsewhere });
    assert.deepEqual(bucketOf('s3://my.layers/a/b/?region=eu-central-1'), {
      bucket: 'my.layers',
      prefix: 'a/b',
      region: 'eu-central-1',
      ...elsewhere,
    });
    const endpoint = 'http://10.0.0.1:9000';
    assert.deepEqual(bucketOf(`s3://layers?endpoint=${endpoint}/&publicEndpoint=https://s3.example.com`), {
      bucket: 'layers',
      prefix: '',
      region: 'us-east-1',
      endpoint,
      publicEndpoint: 'https://s3.example.com',
      pathStyle: true,
      credentials,
    });
    assert.equal(bucketOf(`s3://layers?endpoint=${endpoint}&pathStyle=false`)?.pathStyle, false);
    const encrypting = bucketOf('s3://layers?sse=AES256&bucketKey=true');
    assert.deepEqual([encrypting?.sse, encrypting?.bucketKey], ['AES256', true]);
    assert.equal(bucketOf('s3://layers?bucketKey=false')?.bucketKey, undefined);
    assert.equal(bucketOf('s3://layers', { ...KEYS, AWS_REGION: 'eu-west-1' })?.region, 'eu-west-1');
    assert.equal(readFolderConfig({}, { ...KEYS, GANTRY_BLOBS: 's3://layers' }).bucket?.bucket, 'layers');
  });

  it('takes credentials from the environment, its own first', () => {
    const credentials = (environment: Record<string, string>) => bucketOf('s3://layers', environment)?.credentials;
    assert.equal(credentials({}), undefined);
    const own = { GANTRY_S3_ACCESS_KEY_ID: 'own', GANTRY_S3_SECRET_ACCESS_KEY: 'of us' };
    const token = { AWS_SESSION_TOKEN: 'token' };
    assert.deepEqual(credentials({ ...KEYS, ...token, ...own }), { accessKeyId: 'own', secretAccessKey: 'of us' });
    assert.deepEqual(credentials({ ...KEYS, ...token })?.sessionToken, 'token');
    refused({ blobs: 's3://layers' }, /go together/, { AWS_ACCESS_KEY_ID: 'id' });
  });

  it('is refused with what is wrong about it', () => {
    refused({ blobs: 'layers' }, /must be an address such as s3:\/\/bucket\/prefix/);
    refused({ blobs: 's3://key:secret@layers' }, /must not hold credentials(?!.*secret@)/);
    refused({ blobs: 's3://La' }, /names a bucket that cannot be: 'La'/);
    refused({ blobs: 's3://layers/a//b' }, /has a prefix of other than/);
    refused({ blobs: 's3://layers?end=x' }, /has a parameter 'end'; there are region, endpoint/);
    refused({ blobs: 's3://layers?endpoint=10.0.0.1' }, /has endpoint=10\.0\.0\.1; it is scheme and host/);
    refused({ blobs: 's3://layers?pathStyle=yes' }, /it is true or false/);
    refused({ blobs: 's3://layers?sse=aws:kms' }, /has sse=aws:kms; it is AES256/);
    refused({ blobs: 's3://layers?bucketKey=1' }, /has bucketKey=1; it is true or false/);
    refused({ blobs: 's3://layers', ephemeral: true }, /give one of them/);
    refused({ blobs: 's3://layers', 'archive-dir': '/srv' }, /--archive-dir is for bytes that are in the data folder/);
    refused({ 'blob-delivery': 'push' }, /one of redirect, proxy/);
  });
});
