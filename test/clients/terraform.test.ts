import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { describeClient } from '../support/client.ts';
import { findAwsProviderFolder } from '../support/terraform-provider.ts';

const providers = findAwsProviderFolder();

await describeClient(
  'Terraform',
  {
    programs: ['terraform'],
    unless: async () => (providers === undefined ? 'the aws provider is not on this machine' : undefined),
  },
  (client) => {
    const terraform = (...words: string[]) =>
      client.run(['terraform', `-chdir=${client.home}`, ...words], {
        env: { CHECKPOINT_DISABLE: '1', TF_CLI_ARGS: '-no-color' },
      });

    it('applies a repository, finds no difference, changes it and destroys it', async () => {
      const configure = (mutability: string) =>
        writeFileSync(join(client.home, 'main.tf'), configuration(client.server.url, mutability));
      configure('MUTABLE');
      await terraform('init', `-plugin-dir=${providers}`);
      await terraform('apply', '-auto-approve');
      const outputs = JSON.parse(await terraform('output', '-json'));
      assert.equal(outputs.url.value, `localhost:${client.server.port}/terraform/app`);
      assert.equal(outputs.account.value, '000000000000');
      assert.equal(outputs.user.value, 'AWS');
      assert.match(await terraform('plan', '-detailed-exitcode'), /No changes/);

      configure('IMMUTABLE');
      await terraform('apply', '-auto-approve');
      assert.match(await terraform('plan', '-detailed-exitcode'), /No changes/);
      await terraform('destroy', '-auto-approve');
      assert.equal((await terraform('state', 'list')).trim(), '');
    });
  },
);

function configuration(url: string, mutability: string): string {
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
resource "aws_ecr_repository" "app" {
  name                 = "terraform/app"
  image_tag_mutability = "${mutability}"
  force_delete         = true
  image_scanning_configuration {
    scan_on_push = true
  }
  tags = {
    team = "a"
  }
}
data "aws_ecr_authorization_token" "token" {}
data "aws_caller_identity" "me" {}
output "url" {
  value = aws_ecr_repository.app.repository_url
}
output "account" {
  value = data.aws_caller_identity.me.account_id
}
output "user" {
  value = data.aws_ecr_authorization_token.token.user_name
}
`;
}
