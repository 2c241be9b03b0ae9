import type {
  CacheRule,
  CacheRuleReads,
  CacheRuleRecords,
  UpstreamKind,
} from '../../../core/caching/cache-rule-records.ts';
import type { PullThroughCacheRulesTable } from '../registry-feature-tables.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function cacheRuleReads(session: Session): CacheRuleReads {
  return {
    async find({ accountId, region }, prefix) {
      const [row] = await find(session, { account: accountId, region, prefix });
      return row && toRule(row);
    },
    async page({ accountId, region }, after, limit) {
      return (await page(session, { account: accountId, region, after, limit })).map(toRule);
    },
    async all() {
      return (await all(session, {})).map(toRule);
    },
  };
}

export function cacheRuleRecords(session: Session): CacheRuleRecords {
  return {
    ...cacheRuleReads(session),
    async put(rule) {
      await put(session, {
        account: rule.registry.accountId,
        region: rule.registry.region,
        prefix: rule.prefix,
        upstreamPrefix: rule.upstreamPrefix ?? null,
        upstreamUrl: rule.upstreamUrl,
        upstreamKind: rule.upstreamKind ?? null,
        credentialArn: rule.credentialArn ?? null,
        customRoleArn: rule.customRoleArn ?? null,
        createdAt: rule.createdAt.getTime(),
        updatedAt: rule.updatedAt.getTime(),
      });
    },
    async delete({ accountId, region }, prefix) {
      return (await deleteRule(session, { account: accountId, region, prefix })).length > 0;
    },
  };
}

function toRule(row: PullThroughCacheRulesTable): CacheRule {
  return {
    registry: { accountId: row.account, region: row.region },
    prefix: row.prefix,
    ...(row.upstream_prefix !== null && { upstreamPrefix: row.upstream_prefix }),
    upstreamUrl: row.upstream_url,
    ...(row.upstream_registry !== null && { upstreamKind: row.upstream_registry as UpstreamKind }),
    ...(row.credential_arn !== null && { credentialArn: row.credential_arn }),
    ...(row.custom_role_arn !== null && { customRoleArn: row.custom_role_arn }),
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}

const COLUMNS = [
  'account',
  'region',
  'prefix',
  'upstream_prefix',
  'upstream_url',
  'upstream_registry',
  'credential_arn',
  'custom_role_arn',
  'created_at',
  'updated_at',
] as const;

interface InRegistry {
  account: string;
  region: string;
}

const find = prepared((db, { account, region, prefix }: Placeholders<InRegistry & { prefix: string }>) =>
  db
    .selectFrom('pull_through_cache_rules')
    .select(COLUMNS)
    .where('account', '=', account)
    .where('region', '=', region)
    .where('prefix', '=', prefix),
);

const page = prepared(
  (db, { account, region, after, limit }: Placeholders<InRegistry & { after: string; limit: number }>) =>
    db
      .selectFrom('pull_through_cache_rules')
      .select(COLUMNS)
      .where('account', '=', account)
      .where('region', '=', region)
      .where('prefix', '>', after)
      .orderBy('prefix')
      .limit(limit),
);

const all = prepared((db) =>
  db.selectFrom('pull_through_cache_rules').select(COLUMNS).orderBy('account').orderBy('region').orderBy('prefix'),
);

interface NewRule extends InRegistry {
  prefix: string;
  upstreamPrefix: string | null;
  upstreamUrl: string;
  upstreamKind: string | null;
  credentialArn: string | null;
  customRoleArn: string | null;
  createdAt: number;
  updatedAt: number;
}

const put = prepared((db, rule: Placeholders<NewRule>) =>
  db
    .insertInto('pull_through_cache_rules')
    .values({
      account: rule.account,
      region: rule.region,
      prefix: rule.prefix,
      upstream_prefix: rule.upstreamPrefix,
      upstream_url: rule.upstreamUrl,
      upstream_registry: rule.upstreamKind,
      credential_arn: rule.credentialArn,
      custom_role_arn: rule.customRoleArn,
      created_at: rule.createdAt,
      updated_at: rule.updatedAt,
    })
    .onConflict((conflict) =>
      conflict.columns(['account', 'region', 'prefix']).doUpdateSet({
        upstream_prefix: rule.upstreamPrefix,
        upstream_url: rule.upstreamUrl,
        upstream_registry: rule.upstreamKind,
        credential_arn: rule.credentialArn,
        custom_role_arn: rule.customRoleArn,
        updated_at: rule.updatedAt,
      }),
    ),
);

const deleteRule = prepared((db, { account, region, prefix }: Placeholders<InRegistry & { prefix: string }>) =>
  db
    .deleteFrom('pull_through_cache_rules')
    .where('account', '=', account)
    .where('region', '=', region)
    .where('prefix', '=', prefix)
    .returning('prefix'),
);
