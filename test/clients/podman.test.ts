import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { it } from 'node:test';
import { greeting, writeBuildContext } from '../support/busybox-image.ts';
import { describeClient } from '../support/client.ts';
import { http } from '../support/http.ts';
import { digestOf, mediaTypes } from '../support/images.ts';
import { findProgram } from '../support/programs.ts';

await describeClient('podman', { programs: ['podman', 'busybox'], needsRoot: true }, (client) => {
  // runc runs where crun refuses: on hosts that mix both versions of cgroups.
  const runtime = findProgram('runc') === undefined ? [] : ['--runtime', 'runc'];
  /** Storage of its own, nothing of the host's. */
  const podman = (...words: string[]) => client.run(podmanCommand(...words));
  const podmanCommand = (...words: string[]) => {
    const places = [`--root=${client.home}/root`, `--runroot=${client.home}/run`, `--tmpdir=${client.home}/tmp`];
    const modes = ['--storage-driver=vfs', '--cgroup-manager=cgroupfs', '--events-backend=none'];
    return ['podman', ...places, ...modes, ...runtime, ...words];
  };
  const plain = '--tls-verify=false';

  /** Builds a new image from scratch under a name for the server. */
  async function built(): Promise<{ reference: string; repository: string }> {
    const folder = join(client.home, randomUUID());
    writeBuildContext(folder);
    const repository = `podman/${randomUUID()}`;
    const reference = `${client.server.host}/${repository}:v1`;
    await podman('build', '--quiet', '--isolation', 'chroot', '--tag', reference, folder);
    return { reference, repository };
  }

  it('logs in', async () => {
    const command = podmanCommand('login', plain, '--username', 'AWS', '--password-stdin', client.server.host);
    assert.match(await client.run(command, { input: 'anything' }), /Login Succeeded/);
  });

  it('pushes, pulls and runs an image', async () => {
    const { reference } = await built();
    await podman('push', plain, reference);
    await podman('rmi', '--all', '--force');
    await podman('pull', plain, reference);
    // Limits above the process's own would need a privilege that root in a container may not have.
    const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=512:512'];
    const isolation = ['--network', 'none', ...limits];
    assert.equal((await podman('run', '--rm', ...isolation, reference)).trim(), greeting);
  });

  it('pushes a manifest of the digest that it reports', async () => {
    const { reference, repository } = await built();
    const file = join(client.home, randomUUID());
    await podman('push', plain, '--digestfile', file, reference);
    const answer = await http(`${client.server.url}/v2/${repository}/manifests/v1`, {
      headers: { Accept: mediaTypes.manifest },
    });
    assert.equal(answer.headers['docker-content-digest'], digestOf(answer.body));
    assert.equal((await client.run(['/bin/cat', file])).trim(), digestOf(answer.body));
  });

  it('pushes a manifest list with its images', async () => {
    const { reference, repository } = await built();
    await podman('push', plain, reference);
    const list = randomUUID();
    await podman('manifest', 'create', list);
    await podman('manifest', 'add', plain, list, `docker://${reference}`);
    await podman('manifest', 'push', plain, '--all', list, `docker://${client.server.host}/${repository}:list`);
    const answer = await http(`${client.server.url}/v2/${repository}/manifests/list`, {
      headers: { Accept: mediaTypes.index },
    });
    assert.equal(answer.json().manifests.length, 1);
  });

  it('searches for tags', async () => {
    const { reference, repository } = await built();
    await podman('push', plain, reference);
    const found = await podman('search', plain, '--list-tags', `${client.server.host}/${repository}`);
    assert.match(found, new RegExp(`^${client.server.host}/${repository} +v1$`, 'm'));
  });
});
