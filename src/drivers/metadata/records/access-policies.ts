import type { AccessReads, AccessRecords, PolicyHolder } from '../../../core/access/identity-records.ts';
import { type Placeholders, type PreparedQuery, prepared, type Session } from '../session.ts';
import { changeAccess } from './access-version.ts';

export function attachedPolicyReads(session: Session): Pick<AccessReads, 'attachedPolicies'> {
  return {
    async attachedPolicies(holder) {
      const rows = await allOf(session, toColumns(holder));
      return rows.map(({ name, document, managed_arn }) => ({
        holder,
        name,
        ...(document !== null && { document }),
        ...(managed_arn !== null && { managedArn: managed_arn }),
      }));
    },
  };
}

export function attachedPolicyChanges(session: Session): Pick<AccessRecords, 'attachPolicy' | 'detachPolicy'> {
  return {
    async attachPolicy({ holder, name, document = null, managedArn = null }) {
      await demandHolder(session, holder);
      await changeAccess(session, attach, { ...toColumns(holder), name, document, managedArn });
    },
    async detachPolicy(holder, name) {
      return changeAccess(session, detach, { ...toColumns(holder), name });
    },
  };
}

/** For statements that delete a holder, which raise the version themselves. */
export async function deletePoliciesOf(session: Session, holder: PolicyHolder): Promise<void> {
  await deleteAllOf(session, toColumns(holder));
}

/** A policy of nobody would wait for whoever is given that name next. */
async function demandHolder(session: Session, { accountId, kind, name }: PolicyHolder): Promise<void> {
  const found = await HOLDERS[kind](session, { account: accountId, name });
  if (found.length === 0) throw new Error(`Account ${accountId} has no ${kind} ${name} to attach a policy to`);
}

interface OneHolder {
  account: string;
  name: string;
}

const HOLDERS: Readonly<Record<PolicyHolder['kind'], PreparedQuery<OneHolder, unknown>>> = {
  user: holderIn('users'),
  group: holderIn('user_groups'),
  role: holderIn('roles'),
};

function holderIn(table: 'users' | 'user_groups' | 'roles'): PreparedQuery<OneHolder, unknown> {
  return prepared((db, { account, name }: Placeholders<OneHolder>) =>
    db.selectFrom(table).select('name').where('account', '=', account).where('name', '=', name),
  );
}

interface Holder {
  account: string;
  kind: PolicyHolder['kind'];
  holderName: string;
}

function toColumns({ accountId, kind, name }: PolicyHolder): Holder {
  return { account: accountId, kind, holderName: name };
}

const allOf = prepared((db, { account, kind, holderName }: Placeholders<Holder>) =>
  db
    .selectFrom('attached_policies')
    .select(['name', 'document', 'managed_arn'])
    .where('account', '=', account)
    .where('holder_kind', '=', kind)
    .where('holder_name', '=', holderName)
    .orderBy('name'),
);

interface OnePolicy extends Holder {
  name: string;
}

interface NewPolicy extends OnePolicy {
  document: string | null;
  managedArn: string | null;
}

const attach = prepared((db, policy: Placeholders<NewPolicy>) =>
  db
    .insertInto('attached_policies')
    .values({
      account: policy.account,
      holder_kind: policy.kind,
      holder_name: policy.holderName,
      name: policy.name,
      document: policy.document,
      managed_arn: policy.managedArn,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['account', 'holder_kind', 'holder_name', 'name'])
        .doUpdateSet({ document: policy.document, managed_arn: policy.managedArn }),
    )
    .returning('name'),
);

const detach = prepared((db, { account, kind, holderName, name }: Placeholders<OnePolicy>) =>
  db
    .deleteFrom('attached_policies')
    .where('account', '=', account)
    .where('holder_kind', '=', kind)
    .where('holder_name', '=', holderName)
    .where('name', '=', name)
    .returning('name'),
);

const deleteAllOf = prepared((db, { account, kind, holderName }: Placeholders<Holder>) =>
  db
    .deleteFrom('attached_policies')
    .where('account', '=', account)
    .where('holder_kind', '=', kind)
    .where('holder_name', '=', holderName),
);
