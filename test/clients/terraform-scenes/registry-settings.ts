import assert from 'node:assert/strict';
import type { TerraformScene } from './scene.ts';

/** Creation templates and account settings. */
export const registrySettingsScene: TerraformScene = {
  resources,
  async check(ask, form) {
    const { repositoryCreationTemplates } = await ask('DescribeRepositoryCreationTemplates', {});
    const [root, team] = repositoryCreationTemplates;
    assert.equal(root.prefix, 'ROOT');
    assert.deepEqual(root.appliedFor, ['PULL_THROUGH_CACHE']);
    assert.equal(team.description, form);
    assert.equal(team.imageTagMutability, 'IMMUTABLE');
    assert.deepEqual(team.resourceTags, [{ Key: 'team', Value: 'blue' }]);
    assert.equal(JSON.parse(team.lifecyclePolicy).rules.length, 1);
    assert.equal((await ask('GetAccountSetting', { name: 'REGISTRY_POLICY_SCOPE' })).value, 'V2');
  },
  async checkGone(ask) {
    assert.deepEqual((await ask('DescribeRepositoryCreationTemplates', {})).repositoryCreationTemplates, []);
  },
};

function resources(description: string): string {
  return `
resource "aws_ecr_repository_creation_template" "root" {
  prefix      = "ROOT"
  applied_for = ["PULL_THROUGH_CACHE"]
}
resource "aws_ecr_repository_creation_template" "team" {
  prefix               = "team"
  description          = "${description}"
  applied_for          = ["REPLICATION", "PULL_THROUGH_CACHE"]
  image_tag_mutability = "IMMUTABLE"
  encryption_configuration {
    encryption_type = "AES256"
  }
  resource_tags = { team = "blue" }
  repository_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Pull", Effect = "Allow", Principal = "*", Action = ["ecr:BatchGetImage"] }]
  })
  lifecycle_policy = jsonencode({
    rules = [{
      rulePriority = 1
      selection    = { tagStatus = "untagged", countType = "imageCountMoreThan", countNumber = 3 }
      action       = { type = "expire" }
    }]
  })
}
resource "aws_ecr_account_setting" "scope" {
  name  = "REGISTRY_POLICY_SCOPE"
  value = "V2"
}
resource "aws_ecr_account_setting" "scanning" {
  name  = "BASIC_SCAN_TYPE_VERSION"
  value = "AWS_NATIVE"
}
`;
}
