import { openAccessSession } from './access-session.ts';
import { CommandError, type Invocation, optionTexts } from './command-spec.ts';
import { describeTime, say, sayList } from './output.ts';

/** `gantry provider add ISSUER --audience AUDIENCE…` */
export async function addProvider(invocation: Invocation): Promise<void> {
  const [issuer = ''] = invocation.operands;
  checkIssuer(issuer);
  const audiences = optionTexts(invocation, 'audience');
  if (audiences.length === 0) throw new CommandError('--audience must name whom the tokens are for');
  await using session = await openAccessSession(invocation);
  const { accountId, dependencies } = session;
  const provider = { accountId, issuer, audiences, createdAt: dependencies.now() };
  await dependencies.metadata.transaction('registry', ({ access }) => access.putIdentityProvider(provider));
  await session.recordChange('CreateOpenIDConnectProvider', { url: issuer, clientIDList: audiences });
  const host = issuer.replace(/^https?:\/\//, '');
  const lines = [
    `Tokens of ${issuer} for ${audiences.join(' or ')} are taken in account ${accountId}.`,
    `A role's trust policy names it as { "Federated": "arn:${session.partition}:iam::${accountId}:oidc-provider/${host}" }`,
    `with conditions on ${host}:aud and ${host}:sub.`,
  ];
  say(invocation, lines, provider);
}

/** `gantry provider list` */
export async function listProviders(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  sayList(invocation, await session.records.identityProviders(session.accountId), {
    headings: ['ISSUER', 'AUDIENCES', 'CREATED'],
    row: ({ issuer, audiences, createdAt }) => [issuer, audiences.join(', '), describeTime(createdAt)],
    none: `Account ${session.accountId} takes tokens of no issuer.`,
  });
}

/** `gantry provider delete ISSUER` */
export async function deleteProvider(invocation: Invocation): Promise<void> {
  const [issuer = ''] = invocation.operands;
  await using session = await openAccessSession(invocation);
  const { accountId, dependencies } = session;
  const deleted = await dependencies.metadata.transaction('registry', ({ access }) =>
    access.deleteIdentityProvider(accountId, issuer),
  );
  if (!deleted) throw new CommandError(`Account ${accountId} knows no issuer '${issuer}'`);
  await session.recordChange('DeleteOpenIDConnectProvider', { url: issuer });
  say(invocation, `Tokens of ${issuer} are no longer taken in account ${accountId}.`, { deleted: issuer });
}

/** As it stands in the tokens' `iss`, letter by letter. Its keys are fetched, so the way there must be safe. */
function checkIssuer(issuer: string): void {
  const url = URL.parse(issuer);
  const isLoopback = url?.hostname === 'localhost' || url?.hostname === '127.0.0.1' || url?.hostname === '[::1]';
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback);
  if (isSafe && !/[?#@,\s]/.test(issuer)) return;
  throw new CommandError(
    `'${issuer}' is no issuer: it must be an https URL, such as https://token.actions.githubusercontent.com`,
  );
}
