import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { busyboxImage, writeLayout } from '../support/busybox-image.ts';
import type { Client } from '../support/client.ts';
import { cleanEnvironment } from '../support/server.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { describeEnforcedClient } from './enforced-client.ts';

const programs = ['containerd', 'ctr', 'busybox', 'tar'];
const readySeconds = 30;

await describeEnforcedClient('containerd', { programs, needsRoot: true, hasLogin: false }, async (client) => {
  await using starting = new AsyncDisposableStack();
  // A socket's path has at most 108 bytes: the folder's name is short.
  const folder = starting.use(await temporaryFolder('ctrd-'));
  const daemon = startDaemon(client, folder);
  starting.defer(daemon.stop);
  const ctr = (...words: string[]) => client.runAny(['ctr', '--address', `${folder.path}/s`, ...words]);
  const end = performance.now() + readySeconds * 1000;
  while ((await ctr('version')).code !== 0) {
    if (performance.now() > end) throw new Error(`containerd does not answer:\n${daemon.output()}`);
    await sleep(100);
  }
  const own = await importImage(client, ctr);
  const started = starting.move();
  let user: string[] = [];
  return {
    async login(_host, password) {
      user = ['--user', `AWS:${password}`];
      return ctr('version');
    },
    async logout() {
      user = [];
    },
    async push(reference) {
      await ctr('images', 'tag', '--force', own, reference);
      return ctr('images', 'push', '--plain-http', ...user, reference);
    },
    async pull(reference) {
      await ctr('images', 'rm', reference);
      return ctr('images', 'pull', '--plain-http', '--snapshotter', 'native', ...user, reference);
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
});

/** A containerd that touches nothing of the host, and runs no containers. */
function startDaemon(client: Client, { path }: TemporaryFolder) {
  const config = join(path, 'config.toml');
  const lines = [
    'version = 2',
    `root = "${path}/root"`,
    `state = "${path}/state"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `address = "${path}/s"`,
    '[ttrpc]',
    `address = "${path}/t"`,
  ];
  writeFileSync(config, lines.join('\n'));
  const child = spawn(client.program('containerd'), ['--config', config], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const take = (chunk: Buffer) => {
    printed = (printed + chunk).slice(-20_000);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return {
    output: () => printed,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** @returns the name of an image in containerd's own store */
async function importImage(client: Client, ctr: (...words: string[]) => Promise<{ code: number; stderr: string }>) {
  const layout = join(client.home, 'layout');
  mkdirSync(layout);
  const image = busyboxImage();
  writeLayout(layout, 'v1', { blob: image.manifest, mediaType: image.mediaType }, [image]);
  const archive = join(client.home, 'image.tar');
  await client.run(['tar', '-cf', archive, '-C', layout, '.']);
  const { code, stderr } = await ctr(
    'images',
    'import',
    '--no-unpack',
    '--index-name',
    'own:index',
    '--base-name',
    'own',
    archive,
  );
  if (code !== 0) throw new Error(stderr);
  return 'own:v1';
}
