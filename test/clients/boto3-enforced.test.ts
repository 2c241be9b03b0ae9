import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { type Credentials, environmentOf, prepareAccess } from '../support/access.ts';
import { busyboxImage, writeLayout } from '../support/busybox-image.ts';
import { describeClient } from '../support/client.ts';
import { findProgram, runAny } from '../support/programs.ts';

const script = join(import.meta.dirname, 'boto3-image.py');
const python = await pythonWithBoto3();
const unless = async () => (python === undefined ? 'no python3 has boto3' : undefined);
const options = { programs: ['python3', 'busybox'], mustBeInCi: true, isEnforced: true, unless };

await describeClient('boto3 where access is enforced', options, (client) => {
  it('pushes in parts for whom it is allowed to, and pulls for others', async () => {
    const access = prepareAccess(client.server);
    const create = { Effect: 'Allow', Action: 'ecr:CreateRepository', Resource: '*' };
    const managed = 'AmazonEC2ContainerRegistryPowerUser';
    const pusher = await access.user('pusher', { managed, statements: [create] });
    const reader = await access.user('reader', { managed: 'AmazonEC2ContainerRegistryReadOnly' });
    const image = busyboxImage(12 * 1024 * 1024);
    const layout = join(client.home, 'layout');
    writeLayout(layout, 'v1', { blob: image.manifest, mediaType: image.mediaType }, [image]);
    const move = (who: Credentials, direction: string, repository: string, folder: string) =>
      client.runAny([python ?? '', script, direction, client.server.url, repository, 'v1', folder], {
        env: environmentOf(who),
      });

    const pushed = await move(pusher, 'push', 'boto3/app', layout);
    assert.equal(pushed.code, 0, pushed.stderr);
    assert.equal(JSON.parse(pushed.stdout).digest, image.manifest.digest);
    const pulled = await move(reader, 'pull', 'boto3/app', join(client.home, 'copy'));
    assert.equal(pulled.code, 0, pulled.stderr);

    const denied = await move(reader, 'push', 'boto3/other', layout);
    assert.match(
      denied.stderr,
      /\(AccessDeniedException\) when calling the CreateRepository operation: User: .*reader/,
    );
    const wrong = { ...pusher, secretAccessKey: reader.secretAccessKey };
    const refused = await move(wrong, 'pull', 'boto3/app', join(client.home, 'none'));
    assert.match(refused.stderr, /\(InvalidSignatureException\) when calling the BatchGetImage operation/);
  });
});

/** The host's first python3 may be one without boto3 while Debian's has it. */
async function pythonWithBoto3(): Promise<string | undefined> {
  for (const path of [findProgram('python3'), '/usr/bin/python3']) {
    if (path === undefined) continue;
    const { code } = await runAny([path, '-c', 'import boto3']).catch(() => ({ code: 1 }));
    if (code === 0) return path;
  }
  return undefined;
}
