import assert from 'node:assert/strict';
import { putSecret } from '../../support/caching-world.ts';
import type { Form, TerraformScene } from './scene.ts';

const secrets = { first: '', second: '' };

export const cachingScene: TerraformScene = {
  async prepare({ server }) {
    secrets.first = await putSecret(server.data, 'one', 'user', 'password');
    secrets.second = await putSecret(server.data, 'two', 'user', 'password');
  },
  resources,
  async check(ask, form) {
    const { pullThroughCacheRules } = await ask('DescribePullThroughCacheRules', {});
    const seen = pullThroughCacheRules.map(
      (rule: { ecrRepositoryPrefix: string; upstreamRegistryUrl: string; credentialArn?: string }) => [
        rule.ecrRepositoryPrefix,
        rule.upstreamRegistryUrl,
        rule.credentialArn,
      ],
    );
    assert.deepEqual(seen, [
      ['hub', 'registry-1.docker.io', secrets[form]],
      ['own', 'registry.example.org', undefined],
      ['public', 'public.ecr.aws', undefined],
    ]);
  },
  async checkGone(ask) {
    assert.deepEqual((await ask('DescribePullThroughCacheRules', {})).pullThroughCacheRules, []);
  },
};

function resources(form: Form): string {
  const credentialArn = secrets[form];
  return `
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
