import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { writeBuildContext } from '../support/busybox-image.ts';
import { describeEnforcedClient } from './enforced-client.ts';

await describeEnforcedClient('podman', { programs: ['podman', 'busybox'], needsRoot: true }, async (client) => {
  const places = [`--root=${client.home}/root`, `--runroot=${client.home}/run`, `--tmpdir=${client.home}/tmp`];
  const modes = ['--storage-driver=vfs', '--cgroup-manager=cgroupfs', '--events-backend=none'];
  const command = (...words: string[]) => ['podman', ...places, ...modes, ...words];
  const podman = (...words: string[]) => client.runAny(command(...words));
  const plain = '--tls-verify=false';
  const folder = join(client.home, randomUUID());
  writeBuildContext(folder);
  await client.run(command('build', '--quiet', '--isolation', 'chroot', '--tag', 'localhost/own:v1', folder));
  const logout = async (host: string) => {
    await podman('logout', host);
  };
  return {
    async login(host, password) {
      await logout(host);
      const words = command('login', plain, '--username', 'AWS', '--password-stdin', host);
      return client.runAny(words, { input: password });
    },
    logout,
    async push(reference) {
      await podman('tag', 'localhost/own:v1', reference);
      return podman('push', plain, reference);
    },
    async pull(reference) {
      await podman('rmi', '--force', reference);
      return podman('pull', plain, reference);
    },
    async [Symbol.asyncDispose]() {},
  };
});
