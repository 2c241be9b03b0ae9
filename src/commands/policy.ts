import type { AttachedPolicy, PolicyHolder } from '../core/access/identity-records.ts';
import { findManagedPolicy, managedPolicies } from '../core/access/policy/managed-policies.ts';
import { type AccessSession, openAccessSession, readDocument } from './access-session.ts';
import { CommandError, type Invocation, optionText } from './command-spec.ts';
import { say, sayList } from './output.ts';

/** `gantry policy attach HOLDER (--document FILE --name NAME | --managed NAME)` */
export async function attachPolicy(invocation: Invocation): Promise<void> {
  const policy = await policyOf(invocation);
  await using session = await openAccessSession(invocation);
  const holder = holderOf(invocation, session.accountId);
  const name = await session.access.identities.attachPolicy(holder, policy);
  const document = 'document' in policy ? { policyDocument: policy.document } : {};
  await session.recordChange('AttachPolicy', { holder: describe(holder), policyName: name, ...document });
  say(invocation, `Attached policy ${name} to ${describe(holder)}.`, { ...holder, policy: name });
}

/** `gantry policy detach HOLDER (--name NAME | --managed NAME)` */
export async function detachPolicy(invocation: Invocation): Promise<void> {
  const managed = optionText(invocation, 'managed');
  const given = optionText(invocation, 'name');
  if ((managed === undefined) === (given === undefined)) throw new CommandError('Say which: --name or --managed');
  const name = managed === undefined ? (given ?? '') : managedName(managed);
  await using session = await openAccessSession(invocation);
  const holder = holderOf(invocation, session.accountId);
  await session.access.identities.detachPolicy(holder, name);
  await session.recordChange('DetachPolicy', { holder: describe(holder), policyName: name });
  say(invocation, `Detached policy ${name} from ${describe(holder)}.`, { ...holder, policy: name });
}

/** `gantry policy list [HOLDER]` */
export async function listPolicies(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const { records, accountId } = session;
  const given = givenHolders(invocation).length > 0;
  const holders = given ? [await existingHolder(session, invocation)] : await allHolders(session);
  const attached = (await Promise.all(holders.map((holder) => records.attachedPolicies(holder)))).flat();
  const shown = attached.map((policy) => ({
    holder: `${policy.holder.kind}/${policy.holder.name}`,
    name: policy.name,
    ...(policy.managedArn !== undefined && { managedArn: policy.managedArn }),
    document: JSON.parse(textOf(policy)) as unknown,
  }));
  sayList(invocation, shown, {
    headings: ['HOLDER', 'POLICY', 'KIND'],
    row: ({ holder, name, managedArn }) => [holder, name, managedArn === undefined ? 'its own' : 'managed'],
    none: given ? `No policy is attached to ${describe(holders[0]!)}.` : `Account ${accountId} has no policies.`,
  });
}

const KINDS = ['user', 'group', 'role'] as const;

async function policyOf(invocation: Invocation): Promise<{ name: string; document: string } | { managed: string }> {
  const managed = optionText(invocation, 'managed');
  const file = optionText(invocation, 'document');
  const name = optionText(invocation, 'name');
  if ((managed === undefined) === (file === undefined)) {
    throw new CommandError('Say which policy: --document FILE with --name NAME, or --managed NAME');
  }
  if (managed !== undefined) {
    if (name !== undefined) throw new CommandError('A managed policy has its own name; leave --name out');
    return { managed: managedName(managed) };
  }
  if (name === undefined) throw new CommandError('--document needs --name, by which it is detached again');
  return { name, document: await readDocument(file ?? '') };
}

function managedName(given: string): string {
  const policy = findManagedPolicy(given);
  if (policy) return policy.name;
  const known = managedPolicies.map(({ name }) => name).join(', ');
  throw new CommandError(`There is no managed policy '${given}'; there are ${known}`);
}

function givenHolders(invocation: Invocation): Omit<PolicyHolder, 'accountId'>[] {
  return KINDS.flatMap((kind) => {
    const name = optionText(invocation, kind);
    return name === undefined ? [] : [{ kind, name }];
  });
}

function holderOf(invocation: Invocation, accountId: string): PolicyHolder {
  const [holder, ...others] = givenHolders(invocation);
  if (holder === undefined || others.length > 0) throw new CommandError('Give one of --user, --group and --role');
  return { accountId, ...holder };
}

async function existingHolder({ records, accountId }: AccessSession, invocation: Invocation): Promise<PolicyHolder> {
  const holder = holderOf(invocation, accountId);
  if (await records[holder.kind](accountId, holder.name)) return holder;
  throw new CommandError(`There is no ${describe(holder)} in account ${accountId}`);
}

async function allHolders({ records, accountId }: AccessSession): Promise<PolicyHolder[]> {
  const named = {
    user: await records.users(accountId),
    group: await records.groups(accountId),
    role: await records.roles(accountId),
  };
  return KINDS.flatMap((kind) => named[kind].map(({ name }) => ({ accountId, kind, name })));
}

function textOf({ document, managedArn }: AttachedPolicy): string {
  return document ?? findManagedPolicy(managedArn ?? '')?.text ?? 'null';
}

function describe({ kind, name }: PolicyHolder): string {
  return `${kind} '${name}'`;
}
