import { RefusedError } from '../core/errors.ts';
import { createSecrets, SecretNameError, type Secrets } from '../core/secrets/secrets.ts';
import type { Registry } from '../core/values/registry.ts';
import { type AccessSession, openAccessSession, readDocument } from './access-session.ts';
import { CommandError, type Invocation, isOn, optionText } from './command-spec.ts';
import { checkKeyFile } from './key.ts';
import { describeTime, say, sayList } from './output.ts';

/** `gantry secret put NAME --username USER --password-stdin` */
export async function putSecret(invocation: Invocation): Promise<void> {
  const [name = ''] = invocation.operands;
  const username = optionText(invocation, 'username') ?? '';
  const host = givenHost(invocation);
  const accessToken = await givenPassword(invocation);
  await using session = await openSecretSession(invocation);
  const { secrets, registry } = session;
  await checkKeyFile(session);
  await checkSecretsOpen(session);
  const value = { username, accessToken, ...(host !== undefined && { host }) };
  const secret = await secrets.put(registry, name, value).catch((error: unknown) => {
    throw error instanceof SecretNameError ? new CommandError(error.message) : error;
  });
  const { arn } = secret;
  await session.recordChange('PutSecretValue', { name: `ecr-pullthroughcache/${name}`, arn });
  const lines = [
    `Secret ${name} is kept. Name it in a rule as credentialArn:`,
    `  ${arn}`,
    ...(isBefore(secret) ? ['Rules that name it take it within a minute.'] : []),
  ];
  say(invocation, lines, { name, arn, username });
}

/** `gantry secret list` */
export async function listSecrets(invocation: Invocation): Promise<void> {
  await using session = await openSecretSession(invocation);
  const { registry } = session;
  const secrets = (await session.secrets.list(registry)).map(({ sealedValue: _, registry: __, ...secret }) => secret);
  sayList(invocation, secrets, {
    headings: ['NAME', 'CREATED', 'CHANGED', 'ARN'],
    row: ({ name, createdAt, updatedAt, arn }) => [name, describeTime(createdAt), describeTime(updatedAt), arn],
    none: `Account ${registry.accountId} has no secrets in ${registry.region}.`,
  });
}

/** `gantry secret delete NAME` */
export async function deleteSecret(invocation: Invocation): Promise<void> {
  const [name = ''] = invocation.operands;
  await using session = await openSecretSession(invocation);
  const { registry, secrets, dependencies } = session;
  const secret = await dependencies.metadata.read.secrets.find(registry, name);
  if (!secret) throw new CommandError(`There is no secret '${name}' in ${registry.region}`);
  await secrets.delete(registry, name);
  await session.recordChange('DeleteSecret', { name: `ecr-pullthroughcache/${name}`, arn: secret.arn });
  const rules = (await dependencies.metadata.read.cacheRules.all()).filter(
    ({ credentialArn }) => credentialArn === secret.arn,
  );
  const also = rules.map(({ prefix }) => `The rule ${prefix} still names it, and cannot log in any more.`);
  say(invocation, [`Deleted secret ${name}.`, ...also], { deleted: name, namedBy: rules.map(({ prefix }) => prefix) });
}

interface SecretSession extends AccessSession {
  readonly registry: Registry;
  readonly secrets: Secrets;
}

async function openSecretSession(invocation: Invocation): Promise<SecretSession> {
  const session = await openAccessSession(invocation);
  const { dependencies, access, accountId, region } = session;
  return { ...session, registry: { accountId, region }, secrets: createSecrets(dependencies, access.box) };
}

function givenHost(invocation: Invocation): string | undefined {
  const given = optionText(invocation, 'host')?.toLowerCase();
  if (given === undefined || URL.parse(`https://${given}`)?.host === given) return given;
  throw new CommandError(`--host must be a host, or HOST:PORT where the port is not 443, not '${given}'`);
}

/** What is typed on a command line can be read by everybody on the machine. */
async function givenPassword(invocation: Invocation): Promise<string> {
  if (!isOn(invocation, 'password-stdin')) {
    throw new CommandError('Give --password-stdin and the password, or access token, on standard input');
  }
  const password = (await readDocument('-')).replace(/\r?\n$/, '');
  if (password !== '') return password;
  throw new CommandError('Standard input gave no password');
}

/** Secrets under two key files would be half of them lost to the server. */
async function checkSecretsOpen({ secrets, registry, keyFile }: SecretSession): Promise<void> {
  const [present] = await secrets.list(registry);
  if (!present) return;
  await secrets.open(registry, present.arn).catch((error: unknown) => {
    if (!(error instanceof RefusedError)) throw error;
    const reason = `${keyFile} is not the key file under which this server keeps its secrets; name that one with --key-file`;
    throw new CommandError(reason);
  });
}

function isBefore({ createdAt, updatedAt }: { createdAt: Date; updatedAt: Date }): boolean {
  return createdAt < updatedAt;
}
