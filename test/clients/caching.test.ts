import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { busyboxImage, greeting } from '../support/busybox-image.ts';
import { type CachingWorld, cachingWorld, recorded } from '../support/caching-world.ts';
import { describeClient } from '../support/client.ts';
import { startDockerDaemon } from '../support/docker-daemon.ts';
import { findProgram } from '../support/programs.ts';

const places: [name: string, programs: string[], needsRoot: boolean][] = [
  ['skopeo', ['skopeo', 'busybox'], false],
  ['podman', ['podman', 'busybox'], true],
  ['docker', ['docker', 'dockerd', 'busybox'], true],
];

for (const [name, programs, needsRoot] of places) {
  await describeClient(`${name} through the cache`, { programs, needsRoot }, (client) => {
    let world: CachingWorld;
    before(async () => {
      world = await cachingWorld();
    });
    after(() => world[Symbol.asyncDispose]());

    const pullers: Record<string, (reference: string) => Promise<void>> = {
      async skopeo(reference) {
        const target = join(client.home, 'copy');
        await client.run(['skopeo', 'copy', '--src-tls-verify=false', `docker://${reference}`, `oci:${target}:v1`]);
        const { manifest } = image;
        assert.deepEqual(readFileSync(join(target, 'blobs', 'sha256', manifest.digest.slice(7))), manifest.bytes);
      },
      async podman(reference) {
        const runtime = findProgram('runc') === undefined ? [] : ['--runtime', 'runc'];
        const folders = [`--root=${client.home}/root`, `--runroot=${client.home}/run`, `--tmpdir=${client.home}/tmp`];
        const modes = ['--storage-driver=vfs', '--cgroup-manager=cgroupfs', '--events-backend=none', ...runtime];
        await client.run(['podman', ...folders, ...modes, 'pull', '--tls-verify=false', reference]);
        const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=512:512'];
        const words = ['run', '--rm', '--network', 'none', ...limits, reference];
        assert.equal((await client.run(['podman', ...folders, ...modes, ...words])).trim(), greeting);
      },
      async docker(reference) {
        await using daemon = await startDockerDaemon();
        await daemon.docker(['pull', reference]);
        assert.equal((await daemon.docker(['run', '--rm', '--network', 'none', reference])).trim(), greeting);
      },
    };
    const image = busyboxImage();

    it('pulls what only the upstream has, and again when that is gone', async () => {
      const pull = pullers[name] ?? assert.fail();
      world.upstream.add('library/app', image, 'v1');
      await pull(`${world.server.host}/hub/library/app:v1`);
      await recorded(world, 'hub/library/app', image.manifest.digest);
      world.upstream.trouble(/./, (_, response) => response.destroy());
      await pull(`${world.server.host}/hub/library/app:v1`);
    });
  });
}
