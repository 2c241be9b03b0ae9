import assert from 'node:assert/strict';
import type { Form, TerraformScene } from './scene.ts';

const PREFIX = { first: 'prod', second: 'team/prod' } as const;

export const replicationScene: TerraformScene = {
  resources,
  async check(ask, form) {
    const west = { region: 'us-west-2', registryId: '000000000000' };
    const other = { region: 'us-east-1', registryId: '111122223333' };
    const { replicationConfiguration } = await ask('DescribeRegistry', {});
    assert.deepEqual(replicationConfiguration.rules, [
      { destinations: [west, other], repositoryFilters: [{ filter: PREFIX[form], filterType: 'PREFIX_MATCH' }] },
      { destinations: [west] },
    ]);
  },
  async checkGone(ask) {
    assert.deepEqual((await ask('DescribeRegistry', {})).replicationConfiguration.rules, []);
  },
};

function resources(form: Form): string {
  const prefix = PREFIX[form];
  return `
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
