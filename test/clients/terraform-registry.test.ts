import { it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { needsFolder } from '../support/cluster-mode.ts';
import { cachingScene } from './terraform-scenes/caching.ts';
import { encryptionScene } from './terraform-scenes/encryption.ts';
import { lifecycleScene } from './terraform-scenes/lifecycle.ts';
import { registrySettingsScene } from './terraform-scenes/registry-settings.ts';
import { replicationScene } from './terraform-scenes/replication.ts';
import { scanningScene } from './terraform-scenes/scanning.ts';
import type { Ask, TerraformScene } from './terraform-scenes/scene.ts';
import { describeTerraform } from './terraform-stack.ts';

/** All in one stack: Terraform takes seconds for each of its steps, whatever there is to do. */
const SCENES: readonly TerraformScene[] = [
  lifecycleScene,
  registrySettingsScene,
  replicationScene,
  cachingScene,
  scanningScene,
  ...(needsFolder('its store encrypts under no key') === false ? [encryptionScene] : []),
];

await describeTerraform('Terraform and all but repositories', ({ client, apply, destroy }) => {
  const ask: Ask = async (operation, input) => (await awsCall(client.server.url, operation, input)).json();

  it('applies everything, finds no difference, changes and destroys it', async () => {
    for (const scene of SCENES) await scene.prepare?.(client);
    for (const form of ['first', 'second'] as const) {
      await apply(SCENES.map((scene) => scene.resources(form)).join(''));
      for (const scene of SCENES) await scene.check(ask, form);
    }
    await destroy();
    for (const scene of SCENES) await scene.checkGone(ask);
  });
});
