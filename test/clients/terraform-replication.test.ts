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

await describeClient('Terraform and replication', options, (client) => {
  const folder = () => join(client.home, 'stack');
  const env = { CHECKPOINT_DISABLE: '1', TF_CLI_ARGS: '-no-color' };
  const terraform = (...words: string[]) => client.run(['terraform', `-chdir=${folder()}`, ...words], { env });
  const configure = (prefix: string) => {
    mkdirSync(folder(), { recursive: true });
    writeFileSync(join(folder(), 'main.tf'), configuration(client.server.url, prefix));
  };
  const isUnchanged = async () => assert.match(await terraform('plan', '-detailed-exitcode'), /No changes/);
  const rules = async () => {
    const answer = await awsCall(client.server.url, 'DescribeRegistry', {});
    return answer.json().replicationConfiguration.rules;
  };

  it('applies rules, finds no difference, changes and destroys them', async () => {
    configure('prod');
    await terraform('init', `-plugin-dir=${providers}`);
    await terraform('apply', '-auto-approve');
    await isUnchanged();
    const west = { region: 'us-west-2', registryId: '000000000000' };
    const other = { region: 'us-east-1', registryId: '111122223333' };
    const filtered = (filter: string) => [
      { destinations: [west, other], repositoryFilters: [{ filter, filterType: 'PREFIX_MATCH' }] },
      { destinations: [west] },
    ];
    assert.deepEqual(await rules(), filtered('prod'));
    configure('team/prod');
    await terraform('apply', '-auto-approve');
    assert.deepEqual(await rules(), filtered('team/prod'));
    await isUnchanged();
    await terraform('destroy', '-auto-approve');
    assert.deepEqual(await rules(), []);
  });
});

function configuration(url: string, prefix: string): string {
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
data "aws_caller_identity" "current" {}
resource "aws_ecr_replication_configuration" "all" {
  replication_configuration {
    rule {
      destination {
        region      = "us-west-2"
        registry_id = data.aws_caller_identity.current.account_id
      }
      destination {
        region      = "us-east-1"
        registry_id = "111122223333"
      }
      repository_filter {
        filter      = "${prefix}"
        filter_type = "PREFIX_MATCH"
      }
    }
    rule {
      destination {
        region      = "us-west-2"
        registry_id = data.aws_caller_identity.current.account_id
      }
    }
  }
}
`;
}
