import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';

export interface TlsFiles {
  /** PEM; the server's certificate first, then those between it and an authority that clients know. */
  readonly certFile: string;
  /** PEM, not encrypted; may be the same file. */
  readonly keyFile: string;
  /** The new certificate is in use for connections from now on. */
  readonly onReload?: (certificate: { readonly subject: string; readonly validTo: Date }) => void;
  /** What the files hold is not usable; what they held before stays in use. Said once for each such content. */
  readonly onError?: (error: Error) => void;
  /** How often the files are looked at besides when the system says that they changed, which not every file system does. */
  readonly checkSeconds?: number;
}

/** Something that serves TLS: an https.Server or tls.Server. */
export interface SecureServer {
  setSecureContext(options: TlsCredentials): void;
}

export interface TlsCredentials {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** A certificate and key that follow their files. Disposing stops looking at them. */
export interface ServerTls extends Disposable {
  /** What is in use now. */
  readonly credentials: TlsCredentials;
  /** Gives the server every later certificate; connections that are open keep theirs. */
  attach(server: SecureServer): void;
}

/** A change is often several: a second file, a link that is moved. */
const SETTLE_MS = 200;

/** Reads a certificate and its key and follows the files. Rejects when they cannot be used, naming them and the reason. */
export async function loadTls(files: TlsFiles): Promise<ServerTls> {
  const { certFile, keyFile, onReload, onError, checkSeconds = 60 } = files;
  let credentials = await readCredentials(files);
  let refused = '';
  const servers: SecureServer[] = [];
  const take = (next: TlsCredentials) => {
    if (isSame(next, credentials)) return;
    for (const server of servers) server.setSecureContext(next);
    credentials = next;
    onReload?.(describe(next));
  };
  const refuse = (error: Error) => {
    if (error.message !== refused) onError?.(error);
    refused = error.message;
  };
  let reading: Promise<void> = Promise.resolve();
  const check = () => {
    reading = reading.then(() =>
      readCredentials(files).then((next) => {
        refused = '';
        take(next);
      }, refuse),
    );
  };
  const stop = follow([...new Set([dirname(certFile), dirname(keyFile)])], check, checkSeconds * 1000);
  return {
    get credentials() {
      return credentials;
    },
    attach: (server) => void servers.push(server),
    [Symbol.dispose]: stop,
  };
}

/** @returns a function that ends it */
function follow(folders: readonly string[], check: () => void, everyMs: number): () => void {
  let settling: NodeJS.Timeout | undefined;
  const soon = () => {
    clearTimeout(settling);
    settling = setTimeout(check, SETTLE_MS).unref();
  };
  const watchers = folders.flatMap((folder) => watchFolder(folder, soon));
  const timer = setInterval(check, everyMs).unref();
  return () => {
    clearTimeout(settling);
    clearInterval(timer);
    for (const watcher of watchers) watcher.close();
  };
}

/** Folders are watched, because files are replaced and not rewritten. Where the system cannot, the timer has to do. */
function watchFolder(folder: string, changed: () => void): FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, changed);
    return [watcher.on('error', () => watcher.close())];
  } catch {
    return [];
  }
}

async function readCredentials({ certFile, keyFile }: TlsFiles): Promise<TlsCredentials> {
  const cert = await read('certificate', certFile);
  const key = await read('key', keyFile);
  const parsed = parse('certificate', certFile, () => new X509Certificate(cert));
  const privateKey = parse('key', keyFile, () => createPrivateKey(key));
  if (!parsed.checkPrivateKey(privateKey)) {
    throw new Error(`The TLS key ${keyFile} is not the one of the certificate ${certFile}`);
  }
  if (Date.parse(parsed.validTo) < Date.now()) {
    throw new Error(`The TLS certificate ${certFile} has expired on ${new Date(parsed.validTo).toISOString()}`);
  }
  // What parses may still be nothing TLS can use, such as a key that is too short.
  parse('certificate', certFile, () => createSecureContext({ cert, key }));
  return { cert, key };
}

async function read(what: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Error(`The TLS ${what} ${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

function parse<T>(what: string, file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Error(`The TLS ${what} ${file} cannot be used: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isSame(a: TlsCredentials, b: TlsCredentials): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key);
}

function describe({ cert }: TlsCredentials): { subject: string; validTo: Date } {
  const { subject, validTo } = new X509Certificate(cert);
  return { subject, validTo: new Date(validTo) };
}
