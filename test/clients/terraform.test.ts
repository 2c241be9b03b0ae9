import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { basic, type Credentials, prepareAccess } from '../support/access.ts';
import { describeClient } from '../support/client.ts';
import { http } from '../support/http.ts';
import { findAwsProviderFolder } from '../support/terraform-provider.ts';

const providers = findAwsProviderFolder();
const options = {
  programs: ['terraform'],
  unless: async () => (providers === undefined ? 'the aws provider is not on this machine' : undefined),
};

for (const mode of ['open', 'enforced'] as const) {
  const isEnforced = mode === 'enforced';
  await describeClient(`Terraform, access ${mode}`, { ...options, isEnforced }, (client) => {
    const folder = () => join(client.home, 'stack');
    const terraform = (...words: string[]) =>
      client.run(['terraform', `-chdir=${folder()}`, ...words], {
        env: { CHECKPOINT_DISABLE: '1', TF_CLI_ARGS: '-no-color' },
      });
    const configure = (settings: Settings) => {
      mkdirSync(folder(), { recursive: true });
      writeFileSync(join(folder(), 'main.tf'), configuration(settings));
    };
    const isUnchanged = async () => assert.match(await terraform('plan', '-detailed-exitcode'), /No changes/);

    it('applies repository and policies, finds no difference, changes them and destroys them', async () => {
      const { server } = client;
      const credentials = isEnforced
        ? await prepareAccess(server).user('builder', { managed: 'AmazonEC2ContainerRegistryFullAccess' })
        : { accessKeyId: 'any', secretAccessKey: 'any' };
      const settings = { url: server.url, credentials, mutability: 'MUTABLE', guest: 'guest' };
      configure(settings);
      await terraform('init', `-plugin-dir=${providers}`);
      await terraform('apply', '-auto-approve');
      const outputs = JSON.parse(await terraform('output', '-json'));
      assert.equal(outputs.url.value, `localhost:${server.port}/terraform/app`);
      assert.equal(outputs.account.value, '000000000000');
      assert.equal(outputs.user.value, 'AWS');
      // A new token each time: as an output it would be a difference each time.
      const { resources } = JSON.parse(await terraform('show', '-json')).values.root_module;
      const token = resources.find(({ type }: { type: string }) => type === 'aws_ecr_authorization_token');
      const headers = basic(token.values.password);
      const answer = await http(`${server.url}/v2/terraform/app/tags/list`, { headers });
      assert.equal(answer.status, 200, answer.text());
      await isUnchanged();

      configure({ ...settings, mutability: 'IMMUTABLE', guest: 'other' });
      await terraform('apply', '-auto-approve');
      await isUnchanged();
      await terraform('destroy', '-auto-approve');
      assert.equal((await terraform('state', 'list')).trim(), '');
    });
  });
}

interface Settings {
  readonly url: string;
  readonly credentials: Credentials;
  readonly mutability: string;
  /** Name of a user whom the policies let in. */
  readonly guest: string;
}

function configuration({ url, credentials, mutability, guest }: Settings): string {
  return `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region     = "us-east-1"
  access_key = "${credentials.accessKeyId}"
  secret_key = "${credentials.secretAccessKey}"
  endpoints {
    ecr = "${url}"
    sts = "${url}"
  }
}
data "aws_caller_identity" "me" {}
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
data "aws_iam_policy_document" "pull" {
  statement {
    sid     = "pull"
    actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::\${data.aws_caller_identity.me.account_id}:user/${guest}", "111122223333"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [data.aws_caller_identity.me.account_id, "111122223333"]
    }
  }
  statement {
    sid     = "keep"
    effect  = "Deny"
    actions = ["ecr:DeleteRepository"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["true"]
    }
  }
}
resource "aws_ecr_repository_policy" "pull" {
  repository = aws_ecr_repository.app.name
  policy     = data.aws_iam_policy_document.pull.json
}
data "aws_iam_policy_document" "replicate" {
  statement {
    sid       = "replicate"
    actions   = ["ecr:CreateRepository", "ecr:ReplicateImage"]
    resources = ["arn:aws:ecr:us-east-1:\${data.aws_caller_identity.me.account_id}:repository/*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::444455556666:root"]
    }
  }
}
resource "aws_ecr_registry_policy" "replicate" {
  policy = data.aws_iam_policy_document.replicate.json
}
data "aws_ecr_authorization_token" "token" {}
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
