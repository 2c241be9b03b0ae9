import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { TlsConfig } from '../config/access-config.ts';
import type { ServeConfig } from '../config/config.ts';
import { ConfigError } from '../config/settings-reader.ts';
import { ensureSelfSigned } from '../drivers/certificates/self-signed.ts';
import { loadTls, type ServerTls } from '../http/tls/tls-files.ts';
import type { Log } from '../log.ts';

/** Certificate and key of a server that serves TLS. */
export interface OpenedTls extends Disposable {
  readonly tls: ServerTls;
  /** The authority that clients have to trust, when it is our own. */
  readonly authorityFile: string | undefined;
}

type TlsPlace = Pick<ServeConfig, 'dataDirectory' | 'host' | 'region' | 'registryHost' | 'publicUrl'> & { log: Log };

const DAY_MS = 24 * 3600 * 1000;

/** Opens what the configuration names; the files are followed, and a certificate of our own is renewed in time. */
export async function openTls(config: TlsConfig, place: TlsPlace): Promise<OpenedTls> {
  const { dataDirectory, log } = place;
  const follow = {
    onReload: (certificate: object) => log.info(certificate, 'a new certificate is in use'),
    onError: (error: Error) => log.error({ err: error }, 'the certificate cannot be used; the one before stays'),
  };
  if (config.kind === 'files') {
    const tls = await loadTls({ ...follow, certFile: config.certFile, keyFile: config.keyFile });
    return { tls, authorityFile: undefined, [Symbol.dispose]: () => tls[Symbol.dispose]() };
  }
  if (dataDirectory === undefined)
    throw new ConfigError('A certificate of our own is kept in the data folder; give --data');
  const folder = join(resolve(dataDirectory), 'tls');
  const ensure = () => ensureSelfSigned({ folder, names: namesOf(place), now: new Date() });
  const { certFile, keyFile, authorityFile } = await ensure();
  const tls = await loadTls({ ...follow, certFile, keyFile });
  const renewal = setInterval(() => void ensure().catch(follow.onError), DAY_MS);
  renewal.unref();
  return {
    tls,
    authorityFile,
    [Symbol.dispose]() {
      clearInterval(renewal);
      tls[Symbol.dispose]();
    },
  };
}

/** The names that clients reach the server by, those of other accounts' registries in this region among them. */
function namesOf({ host, region, registryHost, publicUrl }: TlsPlace): string[] {
  const base = publicUrl === undefined ? 'localhost' : new URL(publicUrl).hostname;
  const template = registryHost?.replace(/:[0-9]+$/, '').replace('{region}', region);
  const isAnyAddress = host === '0.0.0.0' || host === '::';
  return [
    ...(isAnyAddress ? [hostname()] : [host]),
    base.replace(/^\[|\]$/g, ''),
    `*.dkr.ecr.${region}.${base}`,
    ...(template === undefined ? [] : [template.replace('{account}', '*')]),
  ];
}
