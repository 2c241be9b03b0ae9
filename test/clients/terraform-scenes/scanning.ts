import assert from 'node:assert/strict';
import type { Form, TerraformScene } from './scene.ts';

const TYPES = { first: 'BASIC', second: 'ENHANCED' } as const;
const FREQUENCIES = { first: 'SCAN_ON_PUSH', second: 'CONTINUOUS_SCAN' } as const;

/** How a registry is scanned, and the setting of a repository's own. */
export const scanningScene: TerraformScene = {
  resources,
  async check(ask, form) {
    const { scanningConfiguration } = await ask('GetRegistryScanningConfiguration', {});
    assert.equal(scanningConfiguration.scanType, TYPES[form]);
    const repositoryNames = ['terraform/scanned'];
    const { repositories } = await ask('DescribeRepositories', { repositoryNames });
    assert.equal(repositories[0].imageScanningConfiguration.scanOnPush, form === 'first');
    const { scanningConfigurations } = await ask('BatchGetRepositoryScanningConfiguration', { repositoryNames });
    assert.equal(scanningConfigurations[0].scanFrequency, FREQUENCIES[form]);
  },
  async checkGone(ask) {
    const { scanningConfiguration } = await ask('GetRegistryScanningConfiguration', {});
    assert.deepEqual(scanningConfiguration, { scanType: 'BASIC', rules: [] });
  },
};

function resources(form: Form): string {
  return `
resource "aws_ecr_repository" "scanned" {
  name = "terraform/scanned"
  image_scanning_configuration {
    scan_on_push = ${form === 'first'}
  }
}
resource "aws_ecr_registry_scanning_configuration" "registry" {
  scan_type = "${TYPES[form]}"
  rule {
    scan_frequency = "${FREQUENCIES[form]}"
    repository_filter {
      filter      = "terraform/*"
      filter_type = "WILDCARD"
    }
    repository_filter {
      filter      = "example"
      filter_type = "WILDCARD"
    }
  }
}
`;
}
