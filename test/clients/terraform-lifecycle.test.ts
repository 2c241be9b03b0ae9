import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { describeClient } from '../support/client.ts';
import { findAwsProviderFolder } from '../support/terraform-provider.ts';

const providers = findAwsProviderFolder();
const options = {
  programs: ['terraform'],
  unless: async () => (providers === undefined ? 'the aws provider is not on this machine' : undefined),
};

await describeClient('Terraform and lifecycle policies', options, (client) => {
  const folder = () => join(client.home, 'stack');
  const env = { CHECKPOINT_DISABLE: '1', TF_CLI_ARGS: '-no-color' };
  const terraform = (...words: string[]) => client.run(['terraform', `-chdir=${folder()}`, ...words], { env });
  const configure = (days: number) => {
    mkdirSync(folder(), { recursive: true });
    writeFileSync(join(folder(), 'main.tf'), configuration(client.server.url, days));
  };
  const isUnchanged = async () => assert.match(await terraform('plan', '-detailed-exitcode'), /No changes/);
  const stored = (repositoryName: string) => awsCall(client.server.url, 'GetLifecyclePolicy', { repositoryName });
  const lengthsOf = async (name: string) =>
    JSON.parse((await stored(name)).json().lifecyclePolicyText).rules.map(
      ({ selection }: { selection: { countNumber: number } }) => selection.countNumber,
    );

  it('applies policies in every form it has for them, finds no difference, changes and destroys them', async () => {
    configure(14);
    await terraform('init', `-plugin-dir=${providers}`);
    await terraform('apply', '-auto-approve');
    await isUnchanged();
    assert.deepEqual(await lengthsOf('terraform/encoded'), [5, 14]);
    assert.deepEqual(await lengthsOf('terraform/document'), [5, 14, 90]);
    // As others see it: Terraform wrote rule 2 before rule 1.
    const { lifecyclePolicyText } = (await stored('terraform/encoded')).json();
    assert.match(lifecyclePolicyText, /"rulePriority":1.*"rulePriority":2/);
    configure(30);
    await terraform('apply', '-auto-approve');
    assert.deepEqual(await lengthsOf('terraform/encoded'), [5, 30]);
    await isUnchanged();
    await terraform('destroy', '-auto-approve');
    assert.equal((await terraform('state', 'list')).trim(), '');
  });
});

function configuration(url: string, days: number): string {
  return `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region     = "us-east-1"
  access_key = "any"
  secret_key = "any"
  endpoints {
    ecr = "${url}"
    sts = "${url}"
  }
}
resource "aws_ecr_repository" "encoded" {
  name = "terraform/encoded"
}
resource "aws_ecr_repository" "document" {
  name = "terraform/document"
}
resource "aws_ecr_lifecycle_policy" "encoded" {
  repository = aws_ecr_repository.encoded.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 2
        description  = "expire what has no tag"
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = ${days}
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 1
        selection = {
          tagStatus     = "tagged"
          tagPrefixList = ["v", "r"]
          countType     = "imageCountMoreThan"
          countNumber   = 5
        }
        action = { type = "expire" }
      },
    ]
  })
}
data "aws_ecr_lifecycle_policy_document" "document" {
  rule {
    priority    = 1
    description = "keep five releases"
    selection {
      tag_status       = "tagged"
      tag_pattern_list = ["v*"]
      count_type       = "imageCountMoreThan"
      count_number     = 5
    }
  }
  rule {
    priority = 2
    selection {
      tag_status   = "untagged"
      count_type   = "sinceImagePushed"
      count_unit   = "days"
      count_number = ${days}
    }
    action {
      type = "expire"
    }
  }
  rule {
    priority = 3
    selection {
      tag_status   = "any"
      count_type   = "sinceImagePushed"
      count_unit   = "days"
      count_number = 90
    }
    action {
      type = "expire"
    }
  }
}
resource "aws_ecr_lifecycle_policy" "document" {
  repository = aws_ecr_repository.document.name
  policy     = data.aws_ecr_lifecycle_policy_document.document.json
}
`;
}
