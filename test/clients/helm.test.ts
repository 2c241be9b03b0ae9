import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { describeClient } from '../support/client.ts';

const configType = 'application/vnd.cncf.helm.config.v1+json';

await describeClient('helm', { programs: ['helm'] }, (client) => {
  const helm = (cwd: string, ...words: string[]) => client.run(['helm', ...words], { cwd });

  /** A chart, packaged and pushed. */
  async function pushed() {
    const cwd = join(client.home, randomUUID());
    mkdirSync(cwd);
    await helm(cwd, 'create', 'wharf');
    await helm(cwd, 'package', 'wharf', '--version', '1.2.3');
    const repository = `charts/${randomUUID()}`;
    const remote = `oci://${client.server.host}/${repository}`;
    await helm(cwd, 'push', '--plain-http', 'wharf-1.2.3.tgz', remote);
    return { cwd, remote, repository: `${repository}/wharf` };
  }

  it('logs in', async () => {
    const words = ['registry', 'login', '--plain-http', '--username', 'AWS', '--password-stdin', client.server.host];
    const { code, stderr, stdout } = await client.runAny(['helm', ...words], { input: 'anything' });
    assert.equal(code, 0, stderr);
    assert.match(stdout + stderr, /Login Succeeded/);
  });

  it('pushes a chart and pulls the same bytes', async () => {
    const { cwd, remote } = await pushed();
    const other = join(cwd, 'pulled');
    mkdirSync(other);
    await helm(other, 'pull', '--plain-http', `${remote}/wharf`, '--version', '1.2.3');
    assert.deepEqual(readFileSync(join(other, 'wharf-1.2.3.tgz')), readFileSync(join(cwd, 'wharf-1.2.3.tgz')));
  });

  it('finds the newest version and shows it', async () => {
    const { cwd, remote } = await pushed();
    await helm(cwd, 'package', 'wharf', '--version', '1.10.0');
    await helm(cwd, 'push', '--plain-http', 'wharf-1.10.0.tgz', remote);
    assert.match(await helm(cwd, 'show', 'chart', '--plain-http', `${remote}/wharf`), /^version: 1\.10\.0$/m);
    assert.match(
      await helm(cwd, 'template', '--plain-http', 'release', `${remote}/wharf`, '--version', '1.2.3'),
      /helm.sh\/chart: wharf-1\.2\.3/,
    );
  });

  it('pushes what the AWS API describes as a chart', async () => {
    const { repository } = await pushed();
    const { imageDetails } = (
      await awsCall(client.server.url, 'DescribeImages', { repositoryName: repository })
    ).json();
    assert.deepEqual(imageDetails[0].imageTags, ['1.2.3']);
    assert.equal(imageDetails[0].artifactMediaType, configType);
  });
});
