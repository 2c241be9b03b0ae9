import { join } from 'node:path';
import { writeBuildContext } from '../support/busybox-image.ts';
import { startDockerDaemon } from '../support/docker-daemon.ts';
import { describeEnforcedClient } from './enforced-client.ts';

const programs = ['docker', 'dockerd', 'busybox'];

await describeEnforcedClient('docker', { programs, mustBeInCi: true, needsRoot: true }, async (client) => {
  const daemon = await startDockerDaemon();
  const folder = join(client.home, 'context');
  writeBuildContext(folder);
  await daemon.docker(['build', '--quiet', '--tag', 'own:v1', folder]);
  const logout = async (host: string) => {
    await daemon.dockerAny(['logout', host]);
  };
  return {
    async login(host, password) {
      await logout(host);
      const words = ['login', '--username', 'AWS', '--password-stdin', host];
      return daemon.dockerAny(words, { input: password });
    },
    logout,
    async push(reference) {
      await daemon.dockerAny(['tag', 'own:v1', reference]);
      return daemon.dockerAny(['push', reference]);
    },
    async pull(reference) {
      await daemon.dockerAny(['rmi', '--force', reference]);
      return daemon.dockerAny(['pull', reference]);
    },
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
});
