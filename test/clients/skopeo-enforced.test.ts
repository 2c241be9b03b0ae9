import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { busyboxImage, writeLayout } from '../support/busybox-image.ts';
import { describeEnforcedClient } from './enforced-client.ts';

await describeEnforcedClient('skopeo', { programs: ['skopeo', 'busybox'], mustBeInCi: true }, async (client) => {
  const skopeo = (...words: string[]) => client.runAny(['skopeo', ...words]);
  const layout = join(client.home, 'layout');
  const image = busyboxImage();
  writeLayout(layout, 'v1', { blob: image.manifest, mediaType: image.mediaType }, [image]);
  const logout = async (host: string) => {
    await skopeo('logout', host);
  };
  return {
    async login(host, password) {
      await logout(host);
      const words = ['login', '--tls-verify=false', '--username', 'AWS', '--password-stdin', host];
      return client.runAny(['skopeo', ...words], { input: password });
    },
    logout,
    push: (reference) => skopeo('copy', '--dest-tls-verify=false', `oci:${layout}:v1`, `docker://${reference}`),
    pull: (reference) =>
      skopeo('copy', '--src-tls-verify=false', `docker://${reference}`, `oci:${join(client.home, randomUUID())}:v1`),
    async [Symbol.asyncDispose]() {},
  };
});
