import type { Action, Permission } from '../core/access/authorizer.ts';
import type { Caller } from '../core/access/caller.ts';
import { explainDecision } from '../core/access/policy/explain.ts';
import type { RequestFacts } from '../core/access/request-facts.ts';
import { parseRepositoryArn, repositoryArn } from '../core/values/registry.ts';
import { type AccessSession, openAccessSession } from './access-session.ts';
import { CommandError, type Invocation, isOn, optionText, optionTexts } from './command-spec.ts';
import { say } from './output.ts';
import { callerOf } from './principals.ts';

/** `gantry explain --principal WHO --action ecr:X --resource WHAT`: what the server would decide, and why. */
export async function explain(invocation: Invocation): Promise<void> {
  const facts = factsOf(invocation);
  await using session = await openAccessSession(invocation);
  const permission: Permission = {
    action: actionOf(optionText(invocation, 'action') ?? ''),
    resource: resourceOf(session, optionText(invocation, 'resource') ?? '*'),
  };
  const caller = await callerOf(session, optionText(invocation, 'principal') ?? '');
  const { request, decision } = await session.access.authorizer.decide(caller, permission, facts);
  const lines = explainDecision(request, decision);
  const { allowed, reason, decidedBy, trace } = decision;
  const shown = { principal: caller.arn, ...permission, allowed, reason, decidedBy, trace };
  const notes = [...(await missingRepository(session, permission.resource)), ...anonymousNote(caller)];
  say(invocation, [...lines, ...notes], shown);
}

function actionOf(text: string): Action {
  const action = text.includes(':') ? text : `ecr:${text}`;
  if (/^ecr:[A-Za-z]+$/.test(action)) return action as Action;
  throw new CommandError(`--action must be an action of ECR such as ecr:BatchGetImage, not '${text}'`);
}

/** A repository's ARN, its name in the account and region that are meant, or `*`. */
function resourceOf(session: AccessSession, text: string): string {
  if (text === '*' || parseRepositoryArn(text)) return text;
  if (!text.includes(':')) return repositoryArn(session, text);
  throw new CommandError(`--resource must be the ARN or the name of a repository, or *, not '${text}'`);
}

function factsOf(invocation: Invocation): RequestFacts {
  const sourceIp = optionText(invocation, 'source-ip');
  const tags = optionTexts(invocation, 'request-tag').map((text) => {
    const separator = text.indexOf('=');
    if (separator < 1) throw new CommandError(`--request-tag must be KEY=VALUE, not '${text}'`);
    return { key: text.slice(0, separator), value: text.slice(separator + 1) };
  });
  return {
    ...(sourceIp !== undefined && { sourceIp }),
    isSecure: isOn(invocation, 'secure'),
    ...(tags.length > 0 && { requestTags: tags }),
  };
}

function anonymousNote({ kind }: Caller): string[] {
  return kind === 'anonymous' ? ['(A server lets clients without credentials in only with --anonymous-pull.)'] : [];
}

async function missingRepository({ dependencies }: AccessSession, resource: string): Promise<string[]> {
  const named = parseRepositoryArn(resource);
  if (!named || (await dependencies.metadata.read.repositories.find(named.registry, named.repositoryName))) return [];
  return [`(There is no repository ${named.repositoryName} yet, so it has neither a policy nor tags.)`];
}
