import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram, type Ran, type RunOptions, run, runAny } from './programs.ts';
import { cleanEnvironment } from './server.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface DockerDaemon extends AsyncDisposable {
  /** Runs the docker command against this daemon, with a configuration of its own. */
  docker(words: readonly string[], options?: RunOptions): Promise<string>;
  dockerAny(words: readonly string[], options?: RunOptions): Promise<Ran>;
}

const readySeconds = 60;

/** Starts a docker daemon that touches nothing of the host: no bridge, no firewall, its own folders. Needs root. */
export async function startDockerDaemon(): Promise<DockerDaemon> {
  // A socket's path has at most 108 bytes: the folder's name is short.
  const folder = await temporaryFolder('dockerd-');
  const socket = `unix://${folder.path}/s`;
  const words = ['--iptables=false', '--ip6tables=false', '--bridge=none', '--storage-driver=vfs'];
  const places = [
    '--data-root',
    `${folder.path}/d`,
    '--exec-root',
    `${folder.path}/e`,
    '-p',
    `${folder.path}/p`,
    '-H',
    socket,
  ];
  const child = spawn(findProgram('dockerd')!, [...words, ...places], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const take = (chunk: Buffer) => {
    printed = (printed + chunk).slice(-20_000);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);

  // The classic builder needs no BuildKit plugin, which Debian's package does not bring.
  const env = { DOCKER_HOST: socket, DOCKER_CONFIG: `${folder.path}/config`, HOME: folder.path, DOCKER_BUILDKIT: '0' };
  const withEnv = (options: RunOptions = {}) => ({ ...options, env: { ...env, ...options.env } });
  const command = (words: readonly string[]) => [findProgram('docker')!, ...words];
  const daemon: DockerDaemon = {
    docker: (words, options) => run(command(words), withEnv(options)),
    dockerAny: (words, options) => runAny(command(words), withEnv(options)),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'close');
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
        await ended;
        clearTimeout(timer);
      }
      await folder[Symbol.asyncDispose]();
    },
  };

  const end = performance.now() + readySeconds * 1000;
  while ((await daemon.dockerAny(['version'])).code !== 0) {
    const isOver = child.exitCode !== null || performance.now() > end;
    if (isOver) {
      await daemon[Symbol.asyncDispose]();
      throw new Error(`dockerd does not answer:\n${printed}`);
    }
    await sleep(200);
  }
  return daemon;
}
