import { openMigrationSource } from '../compose/migration.ts';
import { type Invocation, optionText } from './command-spec.ts';
import { readPlace } from './migration-place.ts';
import { readPlan, runMigration, toldInWords } from './migration-run.ts';
import { openMigrationSession } from './migration-session.ts';

/** `gantry import --from SOURCE` */
export async function importImages(invocation: Invocation): Promise<void> {
  const plan = readPlan(invocation);
  const place = await readPlace(invocation, 'from');
  await using session = await openMigrationSession(invocation);
  const { dependencies, registry, recordChange } = session;
  const repositoryName = optionText(invocation, 'repository');
  await using source = await toldInWords(openMigrationSource(dependencies, place, repositoryName));
  const target = { ...registry, repository: registry.target };
  const { images, settings } = await runMigration(invocation, { source, target }, plan);
  if (plan.isDryRun || images.copied + settings.put === 0) return;
  await recordChange('ImportImages', { from: source.name, images, settings });
}
