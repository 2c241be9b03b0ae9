import assert from 'node:assert/strict';
import { awsCall } from '../../support/aws-call.ts';
import type { Form, TerraformScene } from './scene.ts';

let keyArn = '';

/** Repositories under the registry's own key, named by its ARN and not at all. */
export const encryptionScene: TerraformScene = {
  async prepare({ server }) {
    const encryptionConfiguration = { encryptionType: 'KMS' };
    const repositoryName = 'encrypted/before';
    const made = await awsCall(server.url, 'CreateRepository', { repositoryName, encryptionConfiguration });
    keyArn = made.json().repository.encryptionConfiguration.kmsKey;
    assert.match(keyArn, /^arn:aws:kms:us-east-1:000000000000:key\/[0-9a-f-]{36}$/);
    await awsCall(server.url, 'DeleteRepository', { repositoryName });
  },
  resources,
  async check(ask, form) {
    const repositoryNames = ['encrypted/named', 'encrypted/own', 'encrypted/twice'];
    const { repositories } = await ask('DescribeRepositories', { repositoryNames });
    for (const [index, encryptionType] of (['KMS', 'KMS', 'KMS_DSSE'] as const).entries()) {
      const { encryptionConfiguration, imageTagMutability } = repositories[index];
      assert.deepEqual(encryptionConfiguration, { encryptionType, kmsKey: keyArn });
      assert.equal(imageTagMutability, form === 'first' ? 'MUTABLE' : 'IMMUTABLE');
    }
    const { repositoryCreationTemplates } = await ask('DescribeRepositoryCreationTemplates', {
      prefixes: ['under-key'],
    });
    assert.deepEqual(repositoryCreationTemplates[0].encryptionConfiguration, { encryptionType: 'KMS', kmsKey: keyArn });
  },
  async checkGone(ask) {
    const { repositories } = await ask('DescribeRepositories', {});
    const names = repositories.map(({ repositoryName }: { repositoryName: string }) => repositoryName);
    assert.deepEqual(
      names.filter((name: string) => name.startsWith('encrypted/')),
      [],
    );
  },
};

function resources(form: Form): string {
  const repository = (name: string, encryption: string) => `
resource "aws_ecr_repository" "encrypted_${name}" {
  name                 = "encrypted/${name}"
  image_tag_mutability = "${form === 'first' ? 'MUTABLE' : 'IMMUTABLE'}"
  encryption_configuration {
    ${encryption}
  }
}`;
  return `
${repository('own', 'encryption_type = "KMS"')}
${repository('named', `encryption_type = "KMS"\n    kms_key         = "${keyArn}"`)}
${repository('twice', `encryption_type = "KMS_DSSE"\n    kms_key         = "${keyArn}"`)}
resource "aws_ecr_repository_creation_template" "under_key" {
  prefix      = "under-key"
  applied_for = ["PULL_THROUGH_CACHE"]
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = "${keyArn}"
  }
}
`;
}
