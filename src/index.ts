import { startServer } from './compose.ts';
import { readServeConfig } from './config/config.ts';

export interface StartRegistryOptions {
  /** 0 picks a free port. 4510 when left out. */
  readonly port?: number;
  /** 127.0.0.1 when left out. */
  readonly host?: string;
  /** Keep everything in memory; it is gone when the registry stops. */
  readonly ephemeral?: boolean;
  /** Folder that holds everything; `./data` when left out and not ephemeral. */
  readonly data?: string;
  /** Account of the default registry, twelve digits; 000000000000 when left out. */
  readonly accountId?: string;
  /** Region of the default registry; us-east-1 when left out. */
  readonly region?: string;
  /** Whether a docker push makes the repository it needs; true on loopback when left out. */
  readonly createOnPush?: boolean;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export interface RunningRegistry extends AsyncDisposable {
  /** For `--endpoint-url` and `endpoint`: `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Host and port of the default registry as image names have it: `localhost:PORT`. */
  readonly registryHost: string;
  readonly port: number;
  /** Stops serving; as disposal does. */
  stop(): Promise<void>;
}

/**
 * Starts a registry in this process.
 *
 *     await using registry = await startRegistry({ port: 0, ephemeral: true });
 *     const ecr = new ECRClient({ endpoint: registry.url, region: 'us-east-1', credentials });
 *
 * The environment is not looked at. Throws when an option makes no sense, the port is taken or the folder is in use.
 */
export async function startRegistry(options: StartRegistryOptions = {}): Promise<RunningRegistry> {
  const { port, host, ephemeral, data, accountId, region, createOnPush, logLevel } = options;
  const flags = {
    auth: 'open',
    port: port?.toString(),
    host,
    ephemeral,
    data,
    'account-id': accountId,
    region,
    'create-on-push': createOnPush,
    'log-level': logLevel,
  };
  const config = readServeConfig(flags, {});
  const server = await startServer(config);
  const stop = () => server[Symbol.asyncDispose]();
  return {
    url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${server.port}`,
    registryHost: server.addresses.hostOf(server.addresses.defaultRegistry),
    port: server.port,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
