import type { GateException } from '../core/gates/gate-records.ts';
import { parseDigest } from '../core/values/digest.ts';
import { CommandError, type Invocation, isOn, optionText } from './command-spec.ts';
import { gateOf, openGateSession } from './gate-session.ts';
import { operatorName } from './operator-trail.ts';
import { describeTime, say } from './output.ts';

/** `gantry gate except REPOSITORY --cve NAME | --image DIGEST --until DATE --reason TEXT`, or with `--end` */
export async function exceptFromGate(invocation: Invocation): Promise<void> {
  const [repositoryName = ''] = invocation.operands;
  const key = keyIn(invocation);
  const what = [key.cve, key.digest].filter((part) => part !== undefined).join(' in ');
  if (isOn(invocation, 'end')) {
    await using session = await openGateSession(invocation);
    const isEnded = await session.change(repositoryName, ({ gates }, { id }) => gates.deleteException(id, key));
    if (!isEnded) throw new CommandError(`${repositoryName} has no exception for ${what}`);
    await session.recordChange('DeleteGateException', { repositoryName, ...key });
    return say(invocation, `Within a second ${what} is no longer excepted.`, { repositoryName, ...key });
  }
  const { until, reason } = termsIn(invocation);
  await using session = await openGateSession(invocation);
  const createdAt = session.dependencies.now();
  if (until <= createdAt) throw new CommandError('--until must be in the future');
  const exception: Omit<GateException, 'repositoryId'> = {
    ...key,
    until,
    reason,
    author: `operator:${operatorName()}`,
    createdAt,
  };
  await session.change(repositoryName, async (records, repository) => {
    await gateOf(records, repository);
    await records.gates.putException({ repositoryId: repository.id, ...exception });
  });
  await session.recordChange('PutGateException', { repositoryName, ...exception });
  const told = `Within a second ${what} passes the gate of ${repositoryName}, until ${describeTime(until)}.`;
  say(invocation, told, { repositoryName, ...exception });
}

function keyIn(invocation: Invocation): Pick<GateException, 'cve' | 'digest'> {
  const cve = optionText(invocation, 'cve');
  const image = optionText(invocation, 'image');
  const digest = image === undefined ? undefined : parseDigest(image);
  if (image !== undefined && !digest) throw new CommandError(`--image must be a digest, not '${image}'`);
  if (!cve && !digest) throw new CommandError('An exception is for --cve, for --image, or for both together');
  return { ...(cve && { cve }), ...(digest && { digest }) };
}

function termsIn(invocation: Invocation): Pick<GateException, 'until' | 'reason'> {
  const text = optionText(invocation, 'until');
  const reason = optionText(invocation, 'reason');
  if (text === undefined || !reason) throw new CommandError('An exception needs --until and --reason');
  const until = new Date(text);
  if (!/^[0-9]{4}-/.test(text) || Number.isNaN(until.getTime())) {
    throw new CommandError(`--until must be a date such as 2026-12-31, not '${text}'`);
  }
  return { until, reason };
}
