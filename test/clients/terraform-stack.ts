import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, describeClient } from '../support/client.ts';
import { findAwsProviderFolder } from '../support/terraform-provider.ts';

/** A stack of Terraform's that lives on a server of its own. */
export interface TerraformStack {
  readonly client: Client;
  /** Makes what the resources say, and finds no difference after it. */
  apply(resources: string): Promise<void>;
  /** Destroys all of it, and finds nothing left. */
  destroy(): Promise<void>;
}

/** Runs tests of resources with Terraform and its aws provider, where both are on the machine. */
export async function describeTerraform(name: string, tests: (stack: TerraformStack) => void): Promise<void> {
  const providers = findAwsProviderFolder();
  const options = {
    programs: ['terraform'],
    unless: async () => (providers === undefined ? 'the aws provider is not on this machine' : undefined),
  };
  await describeClient(name, options, (client) => {
    const folder = () => join(client.home, 'stack');
    const env = { CHECKPOINT_DISABLE: '1', TF_CLI_ARGS: '-no-color' };
    const terraform = (...words: string[]) => client.run(['terraform', `-chdir=${folder()}`, ...words], { env });
    let isInitialised = false;
    tests({
      client,
      async apply(resources) {
        mkdirSync(folder(), { recursive: true });
        writeFileSync(join(folder(), 'main.tf'), `${provider(client.server.url)}\n${resources}`);
        if (!isInitialised) await terraform('init', `-plugin-dir=${providers}`);
        isInitialised = true;
        await terraform('apply', '-auto-approve');
        assert.match(await terraform('plan', '-detailed-exitcode'), /No changes/);
      },
      async destroy() {
        await terraform('destroy', '-auto-approve');
        assert.equal((await terraform('state', 'list')).trim(), '');
      },
    });
  });
}

function provider(url: string): string {
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
}`;
}
