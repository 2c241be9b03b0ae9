import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { connect } from 'node:tls';
import { makeAuthority, makeServerCertificate } from '../../src/drivers/certificates/server-certificate.ts';
import { loadTls, type TlsFiles } from '../../src/http/tls/tls-files.ts';

const day = 24 * 3600 * 1000;
const validity = (days: number) => ({
  notBefore: new Date(Date.now() - 10 * day),
  notAfter: new Date(Date.now() + days * day),
});
const authority = makeAuthority('A', validity(100));
const issuer = { commonName: 'A', privateKey: createPrivateKey(authority.privateKey) };
const certificateFor = (name: string, days = 50) => makeServerCertificate([name], validity(days), issuer);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-'));
});
afterEach(() => rm(folder, { recursive: true }));

const paths = () => ({ certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') });
async function put({ certificate, privateKey }: ReturnType<typeof certificateFor>): Promise<void> {
  await writeFile(paths().certFile, certificate);
  await writeFile(paths().keyFile, privateKey);
}

/** A server with the files' certificate, and what it told of them. */
async function serve(files: TlsFiles) {
  const events: string[] = [];
  let wake = Promise.withResolvers<void>();
  const tell = (event: string) => {
    events.push(event);
    wake.resolve();
    wake = Promise.withResolvers();
  };
  const tls = await loadTls({
    ...files,
    onReload: ({ subject }) => tell(`reloaded ${subject}`),
    onError: (error) => tell(error.message),
  });
  const server = createServer(tls.credentials, (_request, response) => response.end());
  tls.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    events,
    /** Resolves when it has told this. */
    async told(what: RegExp): Promise<void> {
      while (!events.some((event) => what.test(event))) await wake.promise;
    },
    async nameServed(): Promise<string> {
      const { port } = server.address() as AddressInfo;
      const socket = connect({
        host: '127.0.0.1',
        port,
        ca: authority.certificate,
        checkServerIdentity: () => undefined,
      });
      await once(socket, 'secureConnect');
      const { subjectaltname = '' } = socket.getPeerCertificate();
      socket.destroy();
      return subjectaltname;
    },
    [Symbol.dispose]() {
      tls[Symbol.dispose]();
      server.close();
    },
  };
}

describe('certificate files', () => {
  it('are followed without a restart', async () => {
    await put(certificateFor('one'));
    using server = await serve(paths());
    assert.equal(await server.nameServed(), 'DNS:one');
    await put(certificateFor('two'));
    await server.told(/^reloaded CN=Gantry registry$/);
    assert.equal(await server.nameServed(), 'DNS:two');
  });

  it('are followed when they are links into a folder that is replaced, as Kubernetes does', async () => {
    const volume = async (name: string, made: ReturnType<typeof certificateFor>) => {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'tls.crt'), made.certificate);
      await writeFile(join(folder, name, 'tls.key'), made.privateKey);
      await symlink(name, join(folder, '..next'));
      await rename(join(folder, '..next'), join(folder, '..data'));
    };
    await volume('..1', certificateFor('one'));
    await symlink('..data/tls.crt', paths().certFile);
    await symlink('..data/tls.key', paths().keyFile);
    using server = await serve(paths());
    await volume('..2', certificateFor('two'));
    await server.told(/^reloaded/);
    assert.equal(await server.nameServed(), 'DNS:two');
  });

  it('are looked at now and then where the system does not tell', async () => {
    // The folder that is watched is that of the link, and nothing happens there.
    await mkdir(join(folder, 'real'));
    const made = certificateFor('one');
    const real = { certFile: join(folder, 'real', 'tls.pem'), keyFile: join(folder, 'real', 'tls.pem') };
    await writeFile(real.certFile, made.certificate + made.privateKey);
    await mkdir(join(folder, 'links'));
    await symlink('../real/tls.pem', join(folder, 'links', 'tls.pem'));
    const linked = join(folder, 'links', 'tls.pem');
    using server = await serve({ certFile: linked, keyFile: linked, checkSeconds: 0.05 });
    const next = certificateFor('two');
    await writeFile(`${real.certFile}.next`, next.certificate + next.privateKey);
    await rename(`${real.certFile}.next`, real.certFile);
    await server.told(/^reloaded/);
    assert.equal(await server.nameServed(), 'DNS:two');
  });

  const bad: Record<string, [() => Promise<void>, RegExp]> = {
    'a key of another certificate': [
      () => writeFile(paths().keyFile, certificateFor('two').privateKey),
      /tls\.key is not the one of the certificate .*tls\.crt$/,
    ],
    'no certificate': [() => writeFile(paths().certFile, 'nothing'), /certificate .*tls\.crt cannot be used/],
    'a certificate that has expired': [() => put(certificateFor('two', -1)), /tls\.crt has expired on 20/],
    'a file that is gone': [() => rm(paths().keyFile), /key .*tls\.key cannot be read: ENOENT/],
  };
  for (const [what, [change, says]] of Object.entries(bad)) {
    it(`are not taken with ${what}, neither later nor at the start`, async () => {
      await put(certificateFor('one'));
      using server = await serve({ ...paths(), checkSeconds: 0.05 });
      await change();
      await server.told(says);
      assert.equal(await server.nameServed(), 'DNS:one');
      await assert.rejects(loadTls(paths()), says);
      await setTimeout(200);
      const complaints = server.events.filter((event) => says.test(event));
      assert.equal(complaints.length, 1, server.events.join('\n'));
      await put(certificateFor('three'));
      await server.told(/^reloaded/);
      assert.equal(await server.nameServed(), 'DNS:three');
    });
  }

  it('that may not be read are named', async (t) => {
    if (process.getuid?.() === 0) return t.skip('root may read everything');
    await put(certificateFor('one'));
    await chmod(paths().keyFile, 0);
    await assert.rejects(loadTls(paths()), /key .*tls\.key cannot be read: EACCES/);
  });
});
