import { readAccessCommand } from '../config/access-config.ts';
import type { Gate } from '../core/gates/gate-records.ts';
import type { Reads, Records } from '../core/metadata-store.ts';
import type { Repository } from '../core/repositories/repository-records.ts';
import type { Registry } from '../core/values/registry.ts';
import { type AccessSession, openAccessSession } from './access-session.ts';
import { CommandError, type Invocation } from './command-spec.ts';
import { createOperatorTrail } from './operator-trail.ts';

/** What a command about gates works on: the stores of a server, which may run meanwhile. */
export interface GateSession extends AccessSession {
  readonly registry: Registry;
  readonly repository: (repositoryName: string) => Promise<Repository>;
  /** A change of a repository's gate, in a transaction. */
  change<T>(repositoryName: string, work: (records: Records, repository: Repository) => Promise<T>): Promise<T>;
}

export async function openGateSession(invocation: Invocation): Promise<GateSession> {
  const session = await openAccessSession(invocation);
  const { dependencies, accountId, region } = session;
  const { metadata, now } = dependencies;
  const { auditFile } = readAccessCommand(invocation.flags, invocation.environment);
  const registry = { accountId, region };
  return {
    ...session,
    registry,
    recordChange: createOperatorTrail(auditFile, accountId, now, 'ecr.amazonaws.com'),
    repository: async (name) => found(await metadata.read.repositories.find(registry, name), name, registry),
    change: (name, work) =>
      metadata.transaction('repository', async (records) =>
        work(records, found(await records.repositories.find(registry, name), name, registry)),
      ),
  };
}

export async function gateOf(records: Pick<Reads, 'gates'>, { id, name }: Repository): Promise<Gate> {
  const gate = await records.gates.find(id);
  if (!gate) throw new CommandError(`${name} has no gate; gantry gate set makes one`);
  return gate;
}

function found(repository: Repository | undefined, name: string, { region }: Registry): Repository {
  if (repository) return repository;
  throw new CommandError(`There is no repository '${name}' in ${region}; --account and --region name another registry`);
}
