import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsCall } from '../support/aws-call.ts';
import { greeting, writeBuildContext } from '../support/busybox-image.ts';
import { describeClient } from '../support/client.ts';
import { type DockerDaemon, startDockerDaemon } from '../support/docker-daemon.ts';
import type { Ran } from '../support/programs.ts';
import { checkout, pinnedNode } from '../support/server.ts';

const programs = ['docker', 'dockerd', 'busybox'];
const WAIT_SECONDS_MAX = 60;
const repositoryName = 'docker/gated';

await describeClient('docker before a gate', { programs, mustBeInCi: true, needsRoot: true }, (client) => {
  let daemon: DockerDaemon;
  before(async () => {
    daemon = await startDockerDaemon();
  });
  after(() => daemon?.[Symbol.asyncDispose]());

  const gantry = (...words: string[]) =>
    client.run([pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words, '--data', client.server.data]);
  const reference = (tag: string) => `${client.server.host}/${repositoryName}:${tag}`;

  /** Pulls until it comes to what is expected, since gates are looked at once a second. */
  async function pulled(tag: string, isExpected: (ran: Ran) => boolean): Promise<Ran> {
    for (const end = performance.now() + WAIT_SECONDS_MAX * 1000; ; await sleep(100)) {
      // Of an image that it has docker asks no more than the digest.
      await daemon.dockerAny(['rmi', '--force', reference(tag)]);
      const ran = await daemon.dockerAny(['pull', reference(tag)]);
      if (isExpected(ran)) return ran;
      assert.ok(performance.now() < end, `${ran.stdout}\n${ran.stderr}`);
    }
  }
  const refused = async (tag: string) => (await pulled(tag, ({ code }) => code !== 0)).stderr;
  const allowed = (tag: string) => pulled(tag, ({ code }) => code === 0);

  it('is told why it may not pull, and may after an exception', async () => {
    const folder = join(client.home, 'context');
    writeBuildContext(folder);
    await awsCall(client.server.url, 'CreateRepository', { repositoryName });
    await daemon.docker(['build', '--quiet', '--tag', reference('v1'), folder]);
    await daemon.docker(['push', reference('v1')]);
    await allowed('v1');

    const { arn } = JSON.parse(await gantry('signer', 'create', 'release', '--json'));
    await gantry('gate', 'set', repositoryName, '--scanned', '--signed-by', 'release');
    const told = await refused('v1');
    assert.match(told, /denied/i);
    assert.match(told, /it was never scanned/);
    assert.ok(told.includes(`it is not signed by ${arn}: no rule had it signed`), told);

    const { imageDetails } = (await awsCall(client.server.url, 'DescribeImages', { repositoryName })).json();
    const [{ imageDigest }] = imageDetails;
    const until = new Date(Date.now() + 24 * 3600_000).toISOString();
    const exception = ['--image', imageDigest, '--until', until, '--reason', 'known to be well'];
    await gantry('gate', 'except', repositoryName, ...exception);
    await allowed('v1');
    const printed = await daemon.docker(['run', '--rm', '--network', 'none', reference('v1')]);
    assert.equal(printed.trim(), greeting);

    await gantry('gate', 'except', repositoryName, '--image', imageDigest, '--end');
    assert.match(await refused('v1'), /it was never scanned/);
    await gantry('gate', 'remove', repositoryName);
    await allowed('v1');
  });

  it('may push to a tag that it may not pull, and pull what replaced it', async () => {
    const folder = join(client.home, 'replacing');
    writeBuildContext(folder);
    await daemon.docker(['build', '--quiet', '--tag', reference('replaced'), folder]);
    await daemon.docker(['push', reference('replaced')]);
    const { arn } = JSON.parse(await gantry('signer', 'create', 'replacing', '--json'));
    await gantry('gate', 'set', repositoryName, '--signed-by', 'replacing');
    await refused('replaced');
    const signingConfiguration = { rules: [{ signingProfileArn: arn }] };
    await awsCall(client.server.url, 'PutSigningConfiguration', { signingConfiguration });
    const build = ['build', '--quiet', '--label', 'is=another', '--tag', reference('replaced'), folder];
    await daemon.docker(build);
    await daemon.docker(['push', reference('replaced')]);
    await allowed('replaced');
    await gantry('gate', 'remove', repositoryName);
  });
});
