import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { debianRecords } from '../support/debian-facts.ts';
import { http } from '../support/http.ts';
import { pushImage } from '../support/images.ts';
import { startKeyedS3 } from '../support/keyed-s3.ts';
import { startKmsServer } from '../support/kms-server.ts';
import { run } from '../support/programs.ts';
import { DEBIAN_FILES, imageOfFiles } from '../support/scanned-images.ts';
import { checkout, pinnedNode, startServer } from '../support/server.ts';
import { ecrClient } from '../system/aws-client.ts';
import { until } from '../system/until.ts';

const NOTARY = 'application/vnd.cncf.notary.signature';
const repositoryName = 'team/app';

/** A server whose repository is under a key of a key service, with its bytes in a folder or in a bucket that knows the key. */
async function keyed(place: 'folder' | 'bucket') {
  await using starting = new AsyncDisposableStack();
  const kms = starting.use(await startKmsServer());
  const s3 = starting.use(await startKeyedS3(kms.keys));
  const bucket = { GANTRY_BLOBS: s3.url, GANTRY_S3_ACCESS_KEY_ID: 'id', GANTRY_S3_SECRET_ACCESS_KEY: 'secret' };
  const env = { ...kms.environment, ...(place === 'bucket' && bucket) };
  const server = starting.use(await startServer({ env, args: ['--sbom', 'attach'] }));
  const ecr = ecrClient(server.url);
  const kmsKey = kms.keys.create();
  await ecr.createRepository({ repositoryName, encryptionConfiguration: { encryptionType: 'KMS', kmsKey } });
  const gantry = [pinnedNode, join(checkout, 'bin', 'gantry.js')];
  const records = join(server.data, 'records.json');
  await writeFile(records, JSON.stringify(debianRecords()));
  const running = starting.move();
  return {
    kms,
    s3,
    server,
    ecr,
    kmsKey,
    records,
    gantry: (...words: string[]) => run([...gantry, ...words, '--data', server.data], { env }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

for (const place of ['folder', 'bucket'] as const) {
  describe(`a repository under a key, with its bytes in a ${place}`, () => {
    it('has its images scanned, signed and held by a gate, and none of that while the key is disabled', async () => {
      await using world = await keyed(place);
      const { kms, s3, server, ecr, kmsKey, records, gantry } = world;
      await gantry('vulndb', 'import', records);
      const { arn } = JSON.parse(await gantry('signer', 'create', 'release', '--json'));
      await ecr.putSigningConfiguration({ signingConfiguration: { rules: [{ signingProfileArn: arn }] } });
      await ecr.putImageScanningConfiguration({ repositoryName, imageScanningConfiguration: { scanOnPush: true } });
      const scanOf = (imageTag: string) =>
        ecr.describeImageScanFindings({ repositoryName, imageId: { imageTag } }).catch(() => undefined);
      const scanEnds = (imageTag: string) =>
        until(async () => ((await scanOf(imageTag))?.imageScanStatus?.status ?? 'IN_PROGRESS') !== 'IN_PROGRESS');
      const image = imageOfFiles([DEBIAN_FILES]);
      await pushImage(server.url, repositoryName, 'v1', image);
      await scanEnds('v1');
      const found = await scanOf('v1');
      const { status, description = '' } = found?.imageScanStatus ?? {};
      assert.equal(status, 'COMPLETE', description);
      assert.ok((found?.imageScanFindings?.findings?.length ?? 0) > 0);

      const subjectId = { imageDigest: image.manifest.digest };
      const typesThere = async () => {
        const { referrers = [] } = await ecr.listImageReferrers({ repositoryName, subjectId });
        return referrers.map(({ artifactType }) => artifactType).sort();
      };
      const expected = [NOTARY, 'application/vnd.cyclonedx+json'].sort();
      await until(async () => (await typesThere()).length === expected.length);
      assert.deepEqual(await typesThere(), expected);
      // Each list of packages is signed too; neither it nor a signature lies there in the clear.
      const signatures = async () => JSON.parse(await gantry('signature', 'list', repositoryName, '--json'));
      await until(async () => (await signatures()).length === 2);
      for (const { isIntact } of await signatures()) assert.equal(isIntact, true);
      const seals = [...s3.seals()];
      if (place === 'bucket') assert.ok(seals.length >= 5);
      for (const [key, seal] of seals) assert.equal(seal?.keyId, kmsKey, key);

      await gantry('gate', 'set', repositoryName, '--signed-by', 'release', '--scanned');
      const pull = () => http(`${server.url}/v2/${repositoryName}/manifests/v1`);
      assert.equal((await pull()).status, 200);
      kms.keys.setState(kmsKey, 'Disabled');
      await until(async () => (await pull()).status !== 200);
      assert.match((await pull()).text(), new RegExp(`${kmsKey}.*is disabled`));
      kms.keys.setState(kmsKey, 'Enabled');
      await until(async () => (await pull()).status === 200);
    });
  });
}
