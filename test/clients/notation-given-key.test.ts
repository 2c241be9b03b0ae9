import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsCall } from '../support/aws-call.ts';
import { describeClient } from '../support/client.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { checkout, pinnedNode } from '../support/server.ts';

const WAIT_SECONDS_MAX = 60;

const AUTHORITY = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n';
const SIGNER = 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n';

await describeClient('notation and keys made elsewhere', { programs: ['notation', 'openssl'] }, (client) => {
  const gantryWords = (...words: string[]) => {
    return [pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words, '--data', client.server.data];
  };
  const gantry = (...words: string[]) => client.run(gantryWords(...words));

  /** A folder in which openssl makes keys and certificates, each signed by another or by itself. */
  function workshop() {
    const folder = join(client.home, randomUUID());
    mkdirSync(folder);
    const file = (name: string) => join(folder, name);
    const openssl = (...words: string[]) => client.run(['openssl', ...words], { cwd: folder });
    return {
      file,
      openssl,
      async make(name: string, subject: string, extensions: string, issuer?: string, key: readonly string[] = EC) {
        await openssl(...key, '-out', `${name}.key`);
        await openssl('req', '-new', '-utf8', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`);
        writeFileSync(file(`${name}.ext`), extensions);
        const by = issuer === undefined ? ['-key', `${name}.key`] : ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`];
        const words = ['-req', '-in', `${name}.csr`, '-days', '30', '-extfile', `${name}.ext`, '-text', ...by];
        await openssl('x509', ...words, '-out', `${name}.crt`);
      },
      chain(...names: string[]): string {
        writeFileSync(file('chain.pem'), names.map((name) => readFileSync(file(`${name}.crt`), 'utf8')).join(''));
        return file('chain.pem');
      },
    };
  }

  /** An image that a profile signed by its rule. */
  async function signed(profile: string, arn: string): Promise<string> {
    const repositoryName = `given/${profile}`;
    const { url, host } = client.server;
    const repositoryFilters = [{ filter: repositoryName, filterType: 'WILDCARD_MATCH' }];
    const signingConfiguration = { rules: [{ signingProfileArn: arn, repositoryFilters }] };
    await awsCall(url, 'PutSigningConfiguration', { signingConfiguration });
    await awsCall(url, 'CreateRepository', { repositoryName });
    const image = randomImage([100]);
    await pushImage(url, repositoryName, 'v1', image);
    const asked = { repositoryName, imageId: { imageTag: 'v1' } };
    let status = { status: 'IN_PROGRESS' };
    for (const end = performance.now() + WAIT_SECONDS_MAX * 1000; status.status === 'IN_PROGRESS'; await sleep(50)) {
      assert.ok(performance.now() < end);
      status = (await awsCall(url, 'DescribeImageSigningStatus', asked)).json().signingStatuses[0];
    }
    assert.deepEqual(status, { signingProfileArn: arn, status: 'COMPLETE' });
    return `${host}/${repositoryName}@${image.manifest.digest}`;
  }

  /** Verifies as somebody who trusts a profile by what the command exports. */
  async function verified(profile: string, reference: string) {
    const home = join(client.home, randomUUID());
    mkdirSync(home);
    const env = { HOME: home };
    const trust = join(home, 'trust');
    const { files } = JSON.parse(await gantry('signer', 'export-trust', profile, '--out', trust, '--json'));
    await client.run(['notation', 'cert', 'add', '--type', 'ca', '--store', profile, files.certificate], { env });
    await client.run(['notation', 'policy', 'import', files.trustPolicy], { env });
    return client.runAny(['notation', 'verify', '--insecure-registry', reference], { env });
  }

  for (const [what, key] of [
    ['an EC key as openssl wrote it of old', ['ecparam', '-genkey', '-noout', '-name', 'secp384r1']],
    ['an RSA key', ['genpkey', '-quiet', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072']],
  ] as const) {
    it(`takes what is signed with ${what}, under an authority below the root`, async () => {
      const { make, chain, file } = workshop();
      await make('root', '/C=DE/ST=Bremen/O=Reederei Krüger/CN=Root', AUTHORITY);
      await make('below', '/C=DE/ST=Bremen/O=Reederei Krüger/OU=IT/CN=Releases', AUTHORITY, 'root');
      await make('leaf', '/C=DE/ST=Bremen/O=Reederei, "Krüger" \\+ Co #1/CN=Release signer', SIGNER, 'below', key);
      const profile = `g${randomUUID().replaceAll('-', '')}`;
      const given = ['--key', file('leaf.key'), '--chain', chain('leaf', 'below', 'root')];
      const { arn } = JSON.parse(await gantry('signer', 'create', profile, ...given, '--json'));
      const reference = await signed(profile, arn);
      const { code, stdout, stderr } = await verified(profile, reference);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /Successfully verified signature/);
      const listed = JSON.parse(
        await gantry('signature', 'list', reference.slice(reference.indexOf('/') + 1), '--json'),
      );
      assert.equal(listed.length, 1);
      assert.match(listed[0].signer, /CN=Release signer/);
      // The authority of the registry has no part in it.
      await gantry('signer', 'create', `${profile}n`);
      assert.notEqual((await verified(`${profile}n`, reference)).code, 0);
    });
  }

  it('refuses what clients would not take, and says what to change', async () => {
    const { make, chain, file, openssl } = workshop();
    await make('root', '/C=DE/ST=Bremen/O=Reederei/CN=Root', AUTHORITY);
    await make('leaf', '/C=DE/ST=Bremen/O=Reederei/CN=Signer', SIGNER, 'root');
    await make('server', '/C=DE/ST=Bremen/O=Reederei/CN=Server', SIGNER.replace('codeSigning', 'serverAuth'), 'root');
    await openssl('ec', '-in', 'leaf.key', '-aes256', '-passout', 'pass:secret', '-out', 'locked.key');
    const refusal = async (key: string, ...certificates: string[]) => {
      const given = ['--key', file(`${key}.key`), '--chain', chain(...certificates)];
      const { code, stderr } = await client.runAny(gantryWords('signer', 'create', 'refused', ...given));
      assert.equal(code, 1, stderr);
      return stderr;
    };
    assert.match(await refusal('leaf', 'root', 'leaf'), /The first certificate is not the key's/);
    assert.match(await refusal('leaf', 'leaf'), /must end with a root/);
    assert.match(await refusal('server', 'server', 'root'), /must be for code signing and for nothing else/);
    assert.match(await refusal('locked', 'leaf', 'root'), /without a passphrase/);
    assert.equal(JSON.parse(await gantry('signer', 'list', '--json')).some(isRefused), false);
  });
});

const EC = ['ecparam', '-genkey', '-noout', '-name', 'prime256v1'] as const;

function isRefused({ name }: { readonly name: string }): boolean {
  return name === 'refused';
}
