import { globSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where providers are mirrored on disk: `registry.terraform.io/hashicorp/aws/VERSION/PLATFORM/`. */
const ROOTS = ['/usr/share/terraform', '/usr/local/share/terraform', '/opt', join(homedir(), '.terraform.d')];

/** A folder for `terraform init -plugin-dir` that has the aws provider; undefined where there is none. */
export function findAwsProviderFolder(): string | undefined {
  for (const root of ROOTS) {
    const [found] = globSync('{,*/}registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws_*', { cwd: root });
    if (found !== undefined) return resolve(root, found, '../../../../../..');
  }
  return undefined;
}
