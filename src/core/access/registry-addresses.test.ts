import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistryAddresses } from './registry-addresses.ts';

const defaultRegistry = { accountId: '000000000000', region: 'us-east-1' };
const other = { accountId: '123456789012', region: 'eu-west-1' };

test('the default registry is the host itself, any other has a host of ECR form', () => {
  const addresses = createRegistryAddresses({ defaultRegistry, port: () => 4510 });
  assert.equal(addresses.repositoryUri(defaultRegistry, 'team/app'), 'localhost:4510/team/app');
  assert.equal(addresses.proxyEndpoint(other), 'http://123456789012.dkr.ecr.eu-west-1.localhost:4510');
});

test('a public URL names scheme, host and the suffix of the other registries', () => {
  const addresses = createRegistryAddresses({ defaultRegistry, port: () => 1, publicUrl: 'https://reg.example.com' });
  assert.equal(addresses.proxyEndpoint(defaultRegistry), 'https://reg.example.com');
  assert.equal(addresses.hostOf(other), '123456789012.dkr.ecr.eu-west-1.reg.example.com');
  assert.deepEqual(addresses.registryOfHost('123456789012.dkr.ecr.eu-west-1.reg.example.com:443'), other);
});

test('a template names every registry and is read back', () => {
  const hostTemplate = '{account}.dkr.ecr.{region}.example.com:8443';
  const addresses = createRegistryAddresses({ defaultRegistry, port: () => 1, hostTemplate });
  assert.equal(addresses.hostOf(other), '123456789012.dkr.ecr.eu-west-1.example.com:8443');
  assert.deepEqual(addresses.registryOfHost(addresses.hostOf(other)), other);
  assert.equal(addresses.registryOfHost('123456789012.dkr.ecr.eu-west-1.evil.com'), undefined);
});

test('hosts of every ECR form name their registry', () => {
  const { registryOfHost } = createRegistryAddresses({ defaultRegistry, port: () => 1 });
  for (const host of [
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
    '123456789012.dkr-ecr.eu-west-1.on.aws',
    '123456789012.dkr.ecr-fips.eu-west-1.amazonaws.com:443',
    '123456789012.DKR.ecr.eu-west-1.localhost:4510',
  ]) {
    assert.deepEqual(registryOfHost(host), other, host);
  }
  assert.deepEqual(registryOfHost('api.ecr.eu-west-1.amazonaws.com'), { region: 'eu-west-1' });
  assert.equal(registryOfHost('localhost:4510'), undefined);
  assert.equal(registryOfHost('12345678901.dkr.ecr.eu-west-1.amazonaws.com'), undefined);
});

test('an open server answers loopback, addresses and its own names, and no foreign name', () => {
  const { isKnownHost } = createRegistryAddresses({ defaultRegistry, port: () => 1, publicUrl: 'http://reg.test:80' });
  for (const host of ['localhost:1', '127.0.0.1', '[::1]:4510', 'a.localhost', 'reg.test', '10.0.0.1:4510']) {
    assert.equal(isKnownHost(host), true, host);
  }
  for (const host of ['evil.com', 'localhost.evil.com', '127.0.0.1.evil.com', 'xreg.test', '']) {
    assert.equal(isKnownHost(host), false, host);
  }
});
