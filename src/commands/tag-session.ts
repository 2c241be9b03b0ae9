import { quotaLimitsOf } from '../compose/quota-limits.ts';
import { coreDependencies, openStores } from '../compose/stores.ts';
import { readTagConfig } from '../config/config.ts';
import type { Call } from '../core/access/caller.ts';
import { RefusedError } from '../core/errors.ts';
import { createHistory, type History } from '../core/history/history.ts';
import { CommandError, type Invocation } from './command-spec.ts';
import { createOperatorTrail, operatorName, type RecordChange } from './operator-trail.ts';

/** What a command about the past of tags works on: the stores of a server, which may run meanwhile. */
export interface TagSession extends AsyncDisposable {
  readonly history: History;
  /** By the operator, who may do what can be done to the data folder. */
  readonly call: Call;
  readonly recordChange: RecordChange;
}

export async function openTagSession({ flags, environment }: Invocation): Promise<TagSession> {
  const config = readTagConfig(flags, environment);
  const { dataDirectory, databaseUrl, accountId, region, auditFile, undoSeconds, quotas } = config;
  const limits = quotaLimitsOf(quotas);
  const stores = await openStores(dataDirectory, { databaseUrl });
  const dependencies = coreDependencies(stores, { undoSeconds }, limits);
  const arn = `operator:${operatorName()}`;
  return {
    history: createHistory(dependencies),
    call: { caller: { kind: 'root', accountId, arn, userId: arn }, registry: { accountId, region } },
    recordChange: createOperatorTrail(auditFile, accountId, dependencies.now, 'ecr.amazonaws.com'),
    [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose](),
  };
}

/** What core refuses is told in words, with what may help. */
export async function toldInWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const { kind } = error.refusal;
    const hint = kind === 'repository-not-found' ? '; --account and --region name another registry' : '';
    throw new CommandError(`${error.message}${hint}`);
  }
}
