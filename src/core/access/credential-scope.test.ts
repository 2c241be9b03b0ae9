import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialScopeOf, openCaller } from './credential-scope.ts';

const defaults = { accountId: '000000000000', region: 'us-east-1' };

test('reads the credential of a signed request', () => {
  const header =
    'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261122/eu-west-1/ecr/aws4_request, SignedHeaders=host;x-amz-date, Signature=00';
  const expected = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', date: '20261122', region: 'eu-west-1', service: 'ecr' };
  assert.deepEqual(credentialScopeOf(header), expected);
  const [, fields = ''] = header.split('256 ');
  const reordered = `AWS4-HMAC-SHA256 ${fields.split(', ').toReversed().join(',')}`;
  assert.deepEqual(credentialScopeOf(reordered), expected);
});

test('finds no credential in anything else', () => {
  for (const header of [
    undefined,
    '',
    'Basic QVdTOng=',
    'Bearer Credential=A/20261122/us-east-1/ecr/aws4_request',
    'AWS4-HMAC-SHA256',
    'AWS4-HMAC-SHA256 Credential=',
    'AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/ecr',
    'AWS4-HMAC-SHA256 Credential=A/today/us-east-1/ecr/aws4_request',
    'AWS4-HMAC-SHA256 Credential=A/20261122/US EAST/ecr/aws4_request',
    `AWS4-HMAC-SHA256 Credential=${'A'.repeat(129)}/20261122/us-east-1/ecr/aws4_request`,
  ]) {
    assert.equal(credentialScopeOf(header), undefined, `${header}`);
  }
});

test('takes an access key id of twelve digits for that account, and any other for the default one', () => {
  const scope = { date: '20261122', region: 'cn-north-1', service: 'ecr' };
  assert.partialDeepStrictEqual(openCaller({ ...scope, accessKeyId: '123456789012' }, defaults), {
    accountId: '123456789012',
    arn: 'arn:aws-cn:iam::123456789012:user/open',
    userId: '123456789012',
  });
  assert.equal(openCaller({ ...scope, accessKeyId: '1234567890123' }, defaults).accountId, '000000000000');
  assert.equal(openCaller(undefined, defaults).arn, 'arn:aws:iam::000000000000:user/open');
});
