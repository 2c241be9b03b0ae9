import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { putSecret } from '../support/caching-world.ts';
import { describeClient } from '../support/client.ts';
import { findAwsProviderFolder } from '../support/terraform-provider.ts';

const providers = findAwsProviderFolder();
const options = {
  programs: ['terraform'],
  unless: async () => (providers === undefined ? 'the aws provider is not on this machine' : undefined),
};

await describeClient('Terraform, rules of the pull-through cache', options, (client) => {
  it('applies rules, finds no difference, changes them and destroys them', async () => {
    const folder = join(client.home, 'stack');
    mkdirSync(folder, { recursive: true });
    const terraform = (...words: string[]) =>
      client.run(['terraform', `-chdir=${folder}`, ...words], {
        env: { CHECKPOINT_DISABLE: '1', TF_CLI_ARGS: '-no-color' },
      });
    const { server } = client;
    const secrets = [
      await putSecret(server.data, 'one', 'user', 'password'),
      await putSecret(server.data, 'two', 'user', 'password'),
    ];
    for (const [at, secret] of secrets.entries()) {
      writeFileSync(join(folder, 'main.tf'), configuration(server.url, secret));
      if (at === 0) await terraform('init', `-plugin-dir=${providers}`);
      await terraform('apply', '-auto-approve');
      assert.match(await terraform('plan', '-detailed-exitcode'), /No changes/);
    }
    await terraform('destroy', '-auto-approve');
    assert.equal((await terraform('state', 'list')).trim(), '');
  });
});

function configuration(url: string, credentialArn: string): string {
  return `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "000000000000"
  secret_key                  = "any"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  endpoints {
    ecr = "${url}"
  }
}
resource "aws_ecr_pull_through_cache_rule" "public" {
  ecr_repository_prefix = "public"
  upstream_registry_url = "public.ecr.aws"
}
resource "aws_ecr_pull_through_cache_rule" "hub" {
  ecr_repository_prefix = "hub"
  upstream_registry_url = "registry-1.docker.io"
  credential_arn        = "${credentialArn}"
}
resource "aws_ecr_pull_through_cache_rule" "own" {
  ecr_repository_prefix = "own"
  upstream_registry_url = "registry.example.org"
}
`;
}
