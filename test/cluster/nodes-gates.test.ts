import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { debianRecords } from '../support/debian-facts.ts';
import { http } from '../support/http.ts';
import { type Image, pushImage, randomImage } from '../support/images.ts';
import { DEBIAN_FILES, imageOfFiles } from '../support/scanned-images.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { ecrClient } from '../system/aws-client.ts';
import { until } from '../system/until.ts';
import { type Cluster, startCluster, whyNoCluster } from './nodes-cluster.ts';

const NOTARY = 'application/vnd.cncf.notary.signature';

describe('gates, scans and signatures on two nodes with a bucket', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  let folder: TemporaryFolder;
  const database = () => ['--vulnerability-db', join(folder.path, 'vulnerabilities.db')];
  before(async () => {
    folder = await temporaryFolder('gantry-gates-');
    cluster = await startCluster({ nodes: 2, args: ['--create-on-push', ...database()] });
    const records = join(folder.path, 'records.json');
    await writeFile(records, JSON.stringify(debianRecords()));
    await gantry('vulndb', 'import', records, ...database());
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  async function gantry(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await cluster.gantry(words);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** What each node answers to a pull. */
  const pulls = (name: string) =>
    Promise.all(
      cluster.nodes.map(async ({ url }) => (await http(`${url}/v2/${name.replace(':', '/manifests/')}`)).status),
    );
  const untilAll = (name: string, status: number) =>
    until(async () => (await pulls(name)).every((answered) => answered === status));

  async function pushed(name: string, image: Image = randomImage([100])): Promise<string> {
    const [repositoryName = '', tag = ''] = name.split(':');
    await pushImage(cluster.url, repositoryName, tag, image);
    return image.manifest.digest;
  }

  it('a gate that is set, excepted from and removed counts on both', async () => {
    await pushed('team/set:v1', imageOfFiles([DEBIAN_FILES], 'set'));
    assert.deepEqual(await pulls('team/set:v1'), [200, 200]);
    await gantry('gate', 'set', 'team/set', '--scanned');
    await untilAll('team/set:v1', 403);
    const day = new Date(Date.now() + 24 * 3600_000).toISOString();
    const digest = imageOfFiles([DEBIAN_FILES], 'set').manifest.digest;
    await gantry('gate', 'except', 'team/set', '--image', digest, '--until', day, '--reason', 'in a test');
    await untilAll('team/set:v1', 200);
    await gantry('gate', 'except', 'team/set', '--image', digest, '--end');
    await untilAll('team/set:v1', 403);
    await gantry('gate', 'remove', 'team/set');
    await untilAll('team/set:v1', 200);
  });

  it('what one node scans and signs passes the gates of both, once', async () => {
    const ecr = ecrClient(cluster.url);
    const { arn } = JSON.parse(await gantry('signer', 'create', 'release', '--json'));
    await ecr.putSigningConfiguration({ signingConfiguration: { rules: [{ signingProfileArn: arn }] } });
    await pushed('team/signed:none');
    await gantry('gate', 'set', 'team/signed', '--signed-by', 'release', '--scanned');
    await untilAll('team/signed:none', 403);
    const repositoryName = 'team/signed';
    await ecr.putImageScanningConfiguration({ repositoryName, imageScanningConfiguration: { scanOnPush: true } });
    const digests = [];
    for (let at = 0; at < 6; at++)
      digests.push(await pushed(`team/signed:v${at}`, imageOfFiles([DEBIAN_FILES], `${at}`)));
    for (const [at, imageDigest] of digests.entries()) {
      await untilAll(`team/signed:v${at}`, 200);
      const { referrers = [] } = await ecr.listImageReferrers({ repositoryName, subjectId: { imageDigest } });
      assert.deepEqual(
        referrers.map(({ artifactType }) => artifactType),
        [NOTARY],
      );
    }
    await gantry('gate', 'set', 'team/signed', '--severity', 'MEDIUM');
    await untilAll('team/signed:v0', 403);
  });
});
