import { lookup } from 'node:dns/promises';
import { resolve } from 'node:path';
import { type RunningServer, startServer } from '../compose.ts';
import { readServeConfig, type ServeConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { isLoopbackHost } from '../config/registry-config.ts';
import type { Flags } from '../config/settings-reader.ts';
import { trustInstructions } from './trust-instructions.ts';

/** Serves until SIGTERM or SIGINT; a second signal ends the process at once. */
export async function serve(flags: Flags, environment: Environment): Promise<void> {
  const config = readServeConfig(flags, environment);
  const server = await startServer(config).catch(explainAddress(config));
  const stopped = stopOnSignal(server);
  console.log(introduction(config, server));
  if (server.authorityFile !== undefined) {
    const hosts = [server.addresses.hostOf(server.addresses.defaultRegistry)];
    console.log(trustInstructions({ authorityFile: server.authorityFile, hosts }));
  }
  const hint = await hostsHint(config, server);
  if (hint !== undefined) console.log(hint);
  await stopped;
}

function introduction(config: ServeConfig, { port, addresses, rootKeyFile }: RunningServer): string {
  const { accountId, region } = addresses.defaultRegistry;
  const at = config.host.includes(':') ? `[${config.host}]:${port}` : `${config.host}:${port}`;
  const host = addresses.hostOf(addresses.defaultRegistry);
  const scheme = config.tls === undefined ? 'http' : 'https';
  const endpoint = config.publicUrl ?? `${scheme}://${isLoopbackHost(config.host) ? `localhost:${port}` : at}`;
  const folder = config.dataDirectory === undefined ? 'in memory only' : `in ${resolve(config.dataDirectory)}`;
  const data = config.databaseUrl === undefined ? folder : `${folder} and in a database`;
  const bytes = config.bucket === undefined ? '' : `, layers in s3://${config.bucket.bucket}/${config.bucket.prefix}`;
  const isOpen = config.auth === 'open';
  const access = isOpen ? 'Every caller is admitted.' : 'Callers need credentials.';
  const login = isOpen
    ? `docker login --username AWS --password open ${host}`
    : `aws ecr get-login-password --region ${region} --endpoint-url ${endpoint} | docker login --username AWS --password-stdin ${host}`;
  return [
    `Gantry serves the Amazon ECR API and the docker/OCI registry of account ${accountId} in ${region} on ${scheme}://${at}, data ${data}${bytes}. ${access}`,
    ...(rootKeyFile === undefined
      ? []
      : [`The root's access key was made; it is in ${rootKeyFile}, and nowhere else.`]),
    `  ${login}`,
    `  docker push ${host}/my/image:tag`,
    `  aws ecr describe-repositories --region ${region} --endpoint-url ${endpoint}`,
  ].join('\n');
}

/** What to put in the hosts file when this machine does not know the names that image references will have. */
async function hostsHint(config: ServeConfig, { addresses }: RunningServer): Promise<string | undefined> {
  const { defaultRegistry } = addresses;
  const other = { ...defaultRegistry, accountId: '123456789012' };
  const names = [...new Set([defaultRegistry, other].map((registry) => withoutPort(addresses.hostOf(registry))))];
  const resolved = await Promise.all(
    names.map((name) =>
      lookup(name).then(
        () => true,
        () => false,
      ),
    ),
  );
  const unknown = names.filter((_, at) => !resolved[at]);
  if (unknown.length === 0) return undefined;
  const address = isLoopbackHost(config.host) ? '127.0.0.1' : config.host;
  const whose = unknown.includes(names[0]!) ? 'Image names begin' : 'Image names of other accounts begin';
  return `${whose} with a host that this machine does not resolve. Put lines like these in /etc/hosts:\n${unknown.map((name) => `  ${address} ${name}`).join('\n')}`;
}

function withoutPort(host: string): string {
  return host.replace(/:[0-9]+$/, '');
}

function stopOnSignal(server: RunningServer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(signal === 'SIGINT' ? 130 : 143);
    stopping = true;
    server[Symbol.asyncDispose]().then(resolve, reject);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return promise.finally(() => {
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
  });
}

function explainAddress({ host, port }: ServeConfig) {
  return (error: NodeJS.ErrnoException): never => {
    const reasons: Record<string, string> = {
      EADDRINUSE: `Port ${port} of ${host} is taken. Choose another with --port, or 0 for any free one.`,
      EACCES: `Port ${port} of ${host} may not be used by this user. Choose one above 1023 with --port.`,
      EADDRNOTAVAIL: `This machine has no address ${host}. Choose another with --host.`,
    };
    const reason = error.code === undefined ? undefined : reasons[error.code];
    if (reason === undefined || error.syscall !== 'listen') throw error;
    console.error(`gantry: ${reason}`);
    process.exit(1);
  };
}
