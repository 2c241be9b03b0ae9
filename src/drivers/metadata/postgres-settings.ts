export const STATEMENT_SECONDS_MAX = 30;

/**
 * Of each session. A statement is bounded, and so are waits for locks; a node that vanishes leaves no transaction open
 * for long. Every query is written for an index, as SQLite's planner takes it: a small table read as a whole would be
 * cheaper today and not when it has grown, while the plan stays. Generic plans: with these settings the values do not
 * change them.
 */
export const SETTINGS: Readonly<Record<string, string>> = {
  statement_timeout: `${STATEMENT_SECONDS_MAX}s`,
  lock_timeout: '10s',
  idle_in_transaction_session_timeout: '15s',
  jit: 'off',
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_bitmapscan: 'off',
  max_parallel_workers_per_gather: '0',
  random_page_cost: '1.1',
};

/** Of connections that are the server's own; those of a pooler are the pooler's to look after. */
const KEEPALIVES = { tcp_keepalives_idle: '10', tcp_keepalives_interval: '3', tcp_keepalives_count: '3' };

export const SESSION_SETTINGS = Object.entries({ ...SETTINGS, ...KEEPALIVES })
  .map(([name, value]) => `set ${name} = '${value}'`)
  .join('; ');
