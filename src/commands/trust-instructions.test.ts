import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { trustInstructions } from './trust-instructions.ts';

describe('what to put where', () => {
  it('names every file by the host and port of the image name', () => {
    const text = trustInstructions({ authorityFile: '/data/tls/ca.crt', hosts: ['localhost:4510', 'a.example'] });
    for (const expected of [
      'sudo install -D -m 644 /data/tls/ca.crt /etc/docker/certs.d/localhost:4510/ca.crt',
      '/etc/docker/certs.d/a.example/ca.crt',
      '/etc/containers/certs.d/localhost:4510/ca.crt',
      '/etc/containerd/certs.d/localhost:4510/hosts.toml',
      '[host."https://localhost:4510"]',
      '"localhost:4510":',
      'ca_file: /etc/rancher/k3s/gantry-ca.crt',
    ]) {
      assert.ok(text.includes(expected), `${expected} is missing in\n${text}`);
    }
  });
});
