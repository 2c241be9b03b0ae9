import { scanReports } from '../compose/scan-reports.ts';
import { describeGate } from '../core/gates/evaluate-gate.ts';
import type { GateDecision } from '../core/gates/gate-decision.ts';
import { createGates } from '../core/gates/gates.ts';
import type { StoredManifest } from '../core/images/image-records.ts';
import type { Repository } from '../core/repositories/repository-records.ts';
import { parseDigest } from '../core/values/digest.ts';
import { CommandError, type Invocation } from './command-spec.ts';
import { type GateSession, gateOf, openGateSession } from './gate-session.ts';
import { say } from './output.ts';

/** `gantry gate check REPOSITORY[:TAG]`: what is decided of the image, and of those that it lists when it is an index. */
export async function checkGate(invocation: Invocation): Promise<void> {
  const { repositoryName, reference } = parseImage(invocation.operands[0] ?? '');
  await using session = await openGateSession(invocation);
  const repository = await session.repository(repositoryName);
  const { dependencies, registry } = session;
  const gate = await gateOf(dependencies.metadata.read, repository);
  const gates = createGates(dependencies, scanReports);
  const standing = await gates.find(registry, repositoryName);
  if (!standing) throw new CommandError(`${repositoryName} has no gate any more`);
  const images: ({ digest: string } & GateDecision)[] = [];
  for (const manifest of await manifestsOf(session, repository, reference)) {
    images.push({ digest: manifest.digest, ...(await gates.judge(standing, manifest)) });
  }
  const lines = images.flatMap(({ digest, outcome, reasons }) => [
    `${digest}: ${WORDS[outcome]}${outcome === 'refused' && gate.isDryRun ? ' if this were no dry run' : ''}`,
    ...reasons.map((reason) => `  ${reason}`),
  ]);
  const asks = describeGate(gate);
  say(invocation, [`${repositoryName} asks: ${asks}`, ...lines], {
    repositoryName,
    asks,
    isDryRun: gate.isDryRun,
    images,
  });
}

const WORDS = {
  passed: 'can be pulled',
  excepted: 'can be pulled, by an exception',
  'in-grace': 'can be pulled for a while',
  refused: 'is refused',
} as const;

/** The image, and those that it lists. */
async function manifestsOf(
  { dependencies }: GateSession,
  repository: Repository,
  reference: string,
): Promise<StoredManifest[]> {
  const { images } = dependencies.metadata.read;
  const digest = parseDigest(reference);
  const image = digest ? await images.find(repository.id, digest) : await images.findByTag(repository.id, reference);
  if (!image) throw new CommandError(`${repository.name} has no image ${reference}`);
  const listed = await images.childrenOf(image.id);
  const digests = [image.digest, ...listed.map((child) => child.digest)];
  const manifests = await Promise.all(digests.map((one) => images.manifest(repository.id, one)));
  return manifests.filter((manifest) => manifest !== undefined);
}

function parseImage(text: string): { repositoryName: string; reference: string } {
  const [, repositoryName = text, reference = 'latest'] = /^([^:@]+)[:@](.+)$/.exec(text) ?? [];
  return { repositoryName, reference };
}
