import { describeGate } from '../core/gates/evaluate-gate.ts';
import type { Gate, GateException } from '../core/gates/gate-records.ts';
import { type Severity, severities } from '../core/scanning/severity/severity.ts';
import { signerProfileArn } from '../core/signing/signer-profile-names.ts';
import { isSameRegistry } from '../core/values/registry.ts';
import { CommandError, type Invocation, isOn, optionText } from './command-spec.ts';
import { parseDuration } from './durations.ts';
import { type GateSession, gateOf, openGateSession } from './gate-session.ts';
import { operatorName } from './operator-trail.ts';
import { describeTime, say, sayList, table } from './output.ts';

/** `gantry gate set REPOSITORY [--severity S] [--scanned] [--signed-by PROFILE] [--grace TIME] [--dry-run]` */
export async function setGate(invocation: Invocation): Promise<void> {
  const [repositoryName = ''] = invocation.operands;
  const severity = severityIn(optionText(invocation, 'severity'));
  const grace = optionText(invocation, 'grace');
  const graceSeconds = grace === undefined ? 0 : parseDuration(grace, 'grace');
  const requiresScan = isOn(invocation, 'scanned');
  await using session = await openGateSession(invocation);
  const signedBy = await profileArnOf(session, optionText(invocation, 'signed-by'));
  if (severity === undefined && !requiresScan && signedBy === undefined) {
    throw new CommandError('A gate asks for something: --severity, --scanned, --signed-by, or several of them');
  }
  const asked: Omit<Gate, 'repositoryId'> = {
    ...(severity !== undefined && { severity }),
    requiresScan,
    ...(signedBy !== undefined && { signedBy }),
    graceSeconds,
    isDryRun: isOn(invocation, 'dry-run'),
    author: `operator:${operatorName()}`,
    updatedAt: session.dependencies.now(),
  };
  const gate = await session.change(repositoryName, async ({ gates }, { id: repositoryId }) => {
    const put = { repositoryId, ...asked };
    await gates.put(put);
    return put;
  });
  const { repositoryId: _, ...view } = gate;
  await session.recordChange('PutGate', { repositoryName, ...view });
  const does = gate.isDryRun ? 'records which pulls it would refuse' : 'refuses pulls of other images';
  say(invocation, `Within a second ${repositoryName} ${does}: ${describeGate(gate)}.`, { repositoryName, ...view });
}

/** `gantry gate show REPOSITORY` */
export async function showGate(invocation: Invocation): Promise<void> {
  const [repositoryName = ''] = invocation.operands;
  await using session = await openGateSession(invocation);
  const repository = await session.repository(repositoryName);
  const { gates } = session.dependencies.metadata.read;
  const { repositoryId: _, ...gate } = await gateOf({ gates }, repository);
  const exceptions = (await gates.exceptions(repository.id)).map(({ repositoryId: __, ...exception }) => exception);
  const lines = [
    `${repositoryName}: ${describeGate({ ...gate, repositoryId: repository.id })}`,
    `set by ${gate.author} on ${describeTime(gate.updatedAt)}`,
    ...(exceptions.length === 0 ? ['no exceptions'] : exceptionsTable(exceptions, session.dependencies.now())),
  ];
  say(invocation, lines, { repositoryName, ...gate, exceptions });
}

/** `gantry gate list` */
export async function listGates(invocation: Invocation): Promise<void> {
  await using session = await openGateSession(invocation);
  const { registry, accountId, region, dependencies } = session;
  const all = (await dependencies.metadata.read.gates.all()).filter((gated) =>
    isSameRegistry(gated.registry, registry),
  );
  const listed = all.map(({ repositoryName, gate, exceptions }) => {
    const { repositoryId: _, ...view } = gate;
    return { repositoryName, asks: describeGate(gate), ...view, exceptions: exceptions.length };
  });
  sayList(invocation, listed, {
    headings: ['REPOSITORY', 'EXCEPTIONS', 'SET BY', 'SET', 'ASKS'],
    row: ({ repositoryName, exceptions, author, updatedAt, asks }) => [
      repositoryName,
      String(exceptions),
      author,
      describeTime(updatedAt),
      asks,
    ],
    none: `Account ${accountId} has no gates in ${region}.`,
  });
}

/** `gantry gate remove REPOSITORY` */
export async function removeGate(invocation: Invocation): Promise<void> {
  const [repositoryName = ''] = invocation.operands;
  await using session = await openGateSession(invocation);
  await session.change(repositoryName, async (records, repository) => {
    await gateOf(records, repository);
    await records.gates.delete(repository.id);
  });
  await session.recordChange('DeleteGate', { repositoryName });
  say(invocation, `Within a second everything in ${repositoryName} can be pulled.`, { repositoryName });
}

function severityIn(text: string | undefined): Severity | undefined {
  if (text === undefined) return undefined;
  const severity = severities.find((one) => one === text.toUpperCase());
  if (severity) return severity;
  throw new CommandError(`--severity must be one of ${severities.join(', ')}, not '${text}'`);
}

async function profileArnOf({ registry, dependencies }: GateSession, text: string | undefined) {
  if (text === undefined) return undefined;
  const arn = text.startsWith('arn:') ? text : signerProfileArn(registry, text);
  if (await dependencies.metadata.read.signerProfiles.find(arn)) return arn;
  throw new CommandError(`There is no signer profile '${text}'; gantry signer create makes one`);
}

function exceptionsTable(exceptions: readonly Omit<GateException, 'repositoryId'>[], at: Date): string[] {
  return table(
    ['FINDING', 'IMAGE', 'UNTIL', 'BY', 'REASON'],
    exceptions.map(({ cve, digest, until, author, reason }) => [
      cve ?? 'every',
      digest ?? 'every',
      `${describeTime(until)}${until <= at ? ' (over)' : ''}`,
      author,
      reason,
    ]),
  );
}
