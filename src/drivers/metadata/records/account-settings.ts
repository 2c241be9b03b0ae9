import type { AccountSettingReads, AccountSettingRecords } from '../../../core/settings/account-setting-records.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function accountSettingReads(session: Session): AccountSettingReads {
  return {
    async find({ accountId, region }, name) {
      const [row] = await find(session, { account: accountId, region, name });
      return row?.value;
    },
  };
}

export function accountSettingRecords(session: Session): AccountSettingRecords {
  return {
    ...accountSettingReads(session),
    async put({ accountId, region }, name, value) {
      await put(session, { account: accountId, region, name, value });
    },
  };
}

interface OneSetting {
  account: string;
  region: string;
  name: string;
}

const find = prepared((db, { account, region, name }: Placeholders<OneSetting>) =>
  db
    .selectFrom('account_settings')
    .select('value')
    .where('account', '=', account)
    .where('region', '=', region)
    .where('name', '=', name),
);

const put = prepared((db, { account, region, name, value }: Placeholders<OneSetting & { value: string }>) =>
  db
    .insertInto('account_settings')
    .values({ account, region, name, value })
    .onConflict((conflict) => conflict.columns(['account', 'region', 'name']).doUpdateSet({ value })),
);
