import type {
  CreationTemplate,
  CreationTemplateReads,
  CreationTemplateRecords,
} from '../../../core/repositories/creation-template-records.ts';
import type { CreationTemplatesTable } from '../registry-feature-tables.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function creationTemplateReads(session: Session): CreationTemplateReads {
  return {
    async find({ accountId, region }, prefix) {
      const [row] = await find(session, { account: accountId, region, prefix });
      return row && toTemplate(row);
    },
    async findMany({ accountId, region }, prefixes) {
      const rows = await findMany(session, { account: accountId, region, prefixes: JSON.stringify(prefixes) });
      return rows.map(toTemplate);
    },
    async page({ accountId, region }, after, limit) {
      return (await page(session, { account: accountId, region, after, limit })).map(toTemplate);
    },
  };
}

export function creationTemplateRecords(session: Session): CreationTemplateRecords {
  return {
    ...creationTemplateReads(session),
    async put({ registry, prefix, createdAt, updatedAt, ...settings }) {
      await put(session, {
        account: registry.accountId,
        region: registry.region,
        prefix,
        settings: JSON.stringify(settings),
        createdAt: createdAt.getTime(),
        updatedAt: updatedAt.getTime(),
      });
    },
    async delete({ accountId, region }, prefix) {
      return (await deleteTemplate(session, { account: accountId, region, prefix })).length > 0;
    },
  };
}

function toTemplate(row: CreationTemplatesTable): CreationTemplate {
  return {
    registry: { accountId: row.account, region: row.region },
    prefix: row.prefix,
    ...JSON.parse(row.settings_json),
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}

const COLUMNS = ['account', 'region', 'prefix', 'settings_json', 'created_at', 'updated_at'] as const;

interface InRegistry {
  account: string;
  region: string;
}

const find = prepared((db, { account, region, prefix }: Placeholders<InRegistry & { prefix: string }>) =>
  db
    .selectFrom('creation_templates')
    .select(COLUMNS)
    .where('account', '=', account)
    .where('region', '=', region)
    .where('prefix', '=', prefix),
);

const findMany = prepared(
  (db, { account, region, prefixes }: Placeholders<InRegistry & { prefixes: string }>, { texts }) =>
    db
      .selectFrom('creation_templates')
      .select(COLUMNS)
      .where('account', '=', account)
      .where('region', '=', region)
      .where('prefix', 'in', db.selectFrom(texts(prefixes).as('wanted')).select('wanted.value'))
      .orderBy('prefix'),
);

const page = prepared(
  (db, { account, region, after, limit }: Placeholders<InRegistry & { after: string; limit: number }>) =>
    db
      .selectFrom('creation_templates')
      .select(COLUMNS)
      .where('account', '=', account)
      .where('region', '=', region)
      .where('prefix', '>', after)
      .orderBy('prefix')
      .limit(limit),
);

interface NewTemplate extends InRegistry {
  prefix: string;
  settings: string;
  createdAt: number;
  updatedAt: number;
}

const put = prepared((db, template: Placeholders<NewTemplate>) =>
  db
    .insertInto('creation_templates')
    .values({
      account: template.account,
      region: template.region,
      prefix: template.prefix,
      settings_json: template.settings,
      created_at: template.createdAt,
      updated_at: template.updatedAt,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['account', 'region', 'prefix'])
        .doUpdateSet({ settings_json: template.settings, updated_at: template.updatedAt }),
    ),
);

const deleteTemplate = prepared((db, { account, region, prefix }: Placeholders<InRegistry & { prefix: string }>) =>
  db
    .deleteFrom('creation_templates')
    .where('account', '=', account)
    .where('region', '=', region)
    .where('prefix', '=', prefix)
    .returning('prefix'),
);
