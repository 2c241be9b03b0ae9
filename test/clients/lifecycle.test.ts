import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { type Client, describeClient } from '../support/client.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { pythonWithBoto3 } from '../support/python.ts';

const script = join(import.meta.dirname, 'boto3-lifecycle.py');
const python = await pythonWithBoto3();
const unless = async () => (python === undefined ? 'no python3 has boto3' : undefined);

const keepNewest = {
  rules: [
    {
      rulePriority: 1,
      description: 'keep the newest release',
      selection: {
        tagStatus: 'tagged',
        tagPatternList: ['v*'],
        countType: 'imageCountMoreThan',
        countNumber: 1,
      },
      action: { type: 'expire' },
    },
  ],
};

await describeClient('boto3 and lifecycle policies', { programs: ['python3'], mustBeInCi: true, unless }, (client) => {
  it('puts, previews with its waiter and paginator, and deletes one', async () => {
    const repository = await releases(client);
    const said = JSON.parse(await client.run([python ?? '', script, client.server.url, repository]));
    assert.deepEqual(said, {
      tags: ['v1', 'v2'],
      actions: [{ type: 'EXPIRE' }, { type: 'EXPIRE' }],
      summary: { expiringImageTotalCount: 2 },
    });
  });
});

await describeClient('AWS CLI and lifecycle policies', { programs: ['aws'], mustBeInCi: true }, (client) => {
  const env = {
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_PAGER: '',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const command = (words: readonly string[]) => ['aws', '--endpoint-url', client.server.url, 'ecr', ...words];
  const ecr = async (...words: string[]) =>
    JSON.parse((await client.run(command([...words, '--output', 'json']), { env })) || '{}');

  it('puts one from a file, waits for its preview, and deletes it', async () => {
    const named = ['--repository-name', await releases(client)];
    const file = join(client.home, randomUUID());
    writeFileSync(file, JSON.stringify(keepNewest, undefined, 2));
    const put = await ecr('put-lifecycle-policy', ...named, '--lifecycle-policy-text', `file://${file}`);
    assert.equal(put.lifecyclePolicyText, JSON.stringify(keepNewest));
    const { status } = await ecr('start-lifecycle-policy-preview', ...named);
    assert.equal(status, 'IN_PROGRESS');
    await ecr('wait', 'lifecycle-policy-preview-complete', ...named);
    const preview = await ecr('get-lifecycle-policy-preview', ...named, '--filter', 'tagStatus=TAGGED');
    assert.equal(preview.status, 'COMPLETE');
    assert.deepEqual(
      preview.previewResults.map(({ imageTags }: { imageTags: string[] }) => imageTags),
      [['v1'], ['v2']],
    );
    assert.equal((await ecr('get-lifecycle-policy', ...named)).lifecyclePolicyText, put.lifecyclePolicyText);
    await ecr('delete-lifecycle-policy', ...named);
    const { code, stderr } = await client.runAny(command(['get-lifecycle-policy', ...named]), { env });
    assert.notEqual(code, 0);
    assert.match(stderr, /\(LifecyclePolicyNotFoundException\).*Lifecycle policy does not exist for the repository/);
  });
});

/** A repository with the images v1, v2 and v3, pushed in that order. */
async function releases({ server }: Client): Promise<string> {
  const repository = `lifecycle/${randomUUID()}`;
  for (const tag of ['v1', 'v2', 'v3']) await pushImage(server.url, repository, tag, randomImage());
  return repository;
}
