import { openMigrationTarget } from '../compose/migration.ts';
import { ofOnePlatform } from '../core/migration/one-platform.ts';
import { CommandError, type Invocation, optionText } from './command-spec.ts';
import { readPlace } from './migration-place.ts';
import { type GivenPlan, readPlan, runMigration, toldInWords } from './migration-run.ts';
import { openMigrationSession } from './migration-session.ts';

/** `gantry export --to TARGET` */
export async function exportImages(invocation: Invocation): Promise<void> {
  const plan = readPlan(invocation);
  const place = await readPlace(invocation, 'to');
  const namesRepositories = !isOneName(plan.repositories);
  if (place.kind === 'docker-archive') refuseSeveral(plan);
  else if (optionText(invocation, 'platform') !== undefined) {
    throw new CommandError(
      '--platform is for docker-archive:; everywhere else an image is copied for all of its platforms',
    );
  }
  if (place.kind === 'oci' && place.path.includes(':')) {
    throw new CommandError('A layout takes images by the names they have: give the folder alone, without a colon');
  }
  await using session = await openMigrationSession(invocation);
  const { dependencies, registry } = session;
  const local = { ...registry, repository: registry.source };
  const source =
    place.kind === 'docker-archive'
      ? ofOnePlatform(local, optionText(invocation, 'platform') ?? platformHere())
      : local;
  const options = { namesRepositories, isDryRun: plan.isDryRun };
  await using target = await toldInWords(openMigrationTarget(dependencies, place, options));
  await runMigration(invocation, { source, target }, plan);
}

function isOneName([name, ...others]: readonly string[]): boolean {
  return name !== undefined && others.length === 0 && !name.includes('*');
}

function refuseSeveral({ repositories, tags }: GivenPlan): void {
  if (isOneName(repositories) && isOneName(tags)) return;
  throw new CommandError(
    'A docker archive holds one image: name it with --repositories NAME --tags TAG; oci:FOLDER holds more',
  );
}

/** What containers on this machine run on. */
function platformHere(): string {
  const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', ia32: '386', arm: 'arm/v7' };
  return `linux/${architectures[process.arch] ?? process.arch}`;
}
