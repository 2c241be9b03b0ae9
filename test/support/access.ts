import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ECR } from '@aws-sdk/client-ecr';
import { awsSigner } from '../../src/http/sigv4/aws-signer.ts';
import { type HttpAnswer, http } from './http.ts';
import { run } from './programs.ts';
import { checkout, pinnedNode, type RunningServer, type ServerOptions, startServer } from './server.ts';

/** What signs requests. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The account of the default registry. */
export const ACCOUNT = '000000000000';

export interface NewUser {
  /** The default registry's unless given. */
  readonly account?: string;
  /** Name of a managed policy, such as AmazonEC2ContainerRegistryPowerUser. */
  readonly managed?: string;
  /** Statements of a policy of its own. */
  readonly statements?: readonly object[];
}

/** Administers a server as its operator does: with the commands, on its data folder, while it runs. */
export interface Access {
  readonly root: Credentials;
  /** Runs `gantry WORDS --data DATA`. @returns what it printed; @throws Error when it fails */
  gantry(words: readonly string[], input?: string): Promise<string>;
  /** Makes a user with an access key. */
  user(name: string, user?: NewUser): Promise<Credentials>;
  /** Adds a policy to a user of the default account, or replaces the one of that name. */
  attach(user: string, name: string, statements: readonly object[]): Promise<void>;
}

/** A server that admits nobody but its root, yet. */
export function startEnforcedServer({ args = [], ...options }: ServerOptions = {}): Promise<RunningServer> {
  return startServer({ ...options, args: ['--auth', 'enforced', ...args] });
}

/** @param server one that enforces access, or did when it started first */
export function prepareAccess({ data }: { readonly data: string }): Access {
  const gantry: Access['gantry'] = (words, input) =>
    run([pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words, '--data', data], { input });
  const attach = async (user: string, account: string, policy: readonly string[], input?: string) => {
    await gantry(['policy', 'attach', '--user', user, '--account', account, ...policy], input);
  };
  return {
    root: rootKey(data),
    gantry,
    async user(name, { account = ACCOUNT, managed, statements } = {}) {
      await gantry(['user', 'create', name, '--account', account]);
      if (managed !== undefined) await attach(name, account, ['--managed', managed]);
      if (statements !== undefined)
        await attach(name, account, ['--name', 'own', '--document', '-'], policyOf(...statements));
      const made = await gantry(['key', 'create', '--user', name, '--account', account, '--json']);
      const { accessKeyId, secretAccessKey } = JSON.parse(made) as Credentials;
      return { accessKeyId, secretAccessKey };
    },
    attach: (user, name, statements) =>
      attach(user, ACCOUNT, ['--name', name, '--document', '-'], policyOf(...statements)),
  };
}

/** An IAM policy document. */
export function policyOf(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** The key that the first start in enforced mode left in the data folder. */
function rootKey(data: string): Credentials {
  const lines = readFileSync(join(data, 'root-access-key'), 'utf8').trim().split('\n');
  const values = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
  return { accessKeyId: values.AWS_ACCESS_KEY_ID, secretAccessKey: values.AWS_SECRET_ACCESS_KEY };
}

/** The variables that AWS's own clients take credentials from. */
export function environmentOf({ accessKeyId, secretAccessKey, sessionToken }: Credentials): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }),
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_PAGER: '',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** A client of the SDK's own that sends each request once. */
export function ecrAs(url: string, credentials: Credentials): ECR {
  return new ECR({ endpoint: url, region: 'us-east-1', maxAttempts: 1, credentials });
}

/** The password that `docker login` takes. */
export async function passwordOf(url: string, credentials: Credentials, at = new Date()): Promise<string> {
  const answer = await ecrCall(url, 'GetAuthorizationToken', {}, credentials, at);
  const token = answer.json().authorizationData?.[0]?.authorizationToken;
  if (answer.status !== 200) throw new Error(`GetAuthorizationToken: ${answer.text()}`);
  return Buffer.from(token, 'base64').toString().slice('AWS:'.length);
}

/** Headers of a request under /v2/. */
export function basic(password: string): { Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}` };
}

/**
 * One operation of the ECR API as AWS JSON 1.1, signed by AWS's own signer, or not at all. Any answer resolves, refusals too.
 *
 * @param at what the client takes for the time
 */
export function ecrCall(
  url: string,
  operation: string,
  input: object,
  credentials: Credentials | undefined,
  at = new Date(),
): Promise<HttpAnswer> {
  return send(url, { headers: headersOf(operation), body: JSON.stringify(input), service: 'ecr' }, credentials, at);
}

/** The headers of a signed operation, Host among them. @param headers what else is signed, in lower case */
export function ecrSigned(
  url: string,
  operation: string,
  body: string,
  credentials: Credentials,
  headers: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  return sign(url, { headers: { ...headersOf(operation), ...headers }, body, service: 'ecr' }, credentials, new Date());
}

function headersOf(operation: string): Record<string, string> {
  return {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `AmazonEC2ContainerRegistry_V20150921.${operation}`,
  };
}

/** One action of STS as the Query protocol writes it, signed or not. */
export function stsCall(
  url: string,
  parameters: Readonly<Record<string, string>>,
  credentials: Credentials | undefined,
  at = new Date(),
): Promise<HttpAnswer> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams({ Version: '2011-06-15', ...parameters }).toString();
  return send(url, { headers, body, service: 'sts' }, credentials, at);
}

/** A session of a role. @throws Error when it cannot be had */
export async function assumeRole(
  url: string,
  roleArn: string,
  credentials: Credentials,
  at = new Date(),
): Promise<Credentials> {
  const parameters = { Action: 'AssumeRole', RoleArn: roleArn, RoleSessionName: 'test' };
  const answer = await stsCall(url, parameters, credentials, at);
  if (answer.status !== 200) throw new Error(`AssumeRole: ${answer.text()}`);
  const element = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(answer.text())?.[1] ?? '';
  return {
    accessKeyId: element('AccessKeyId'),
    secretAccessKey: element('SecretAccessKey'),
    sessionToken: element('SessionToken'),
  };
}

/** Waits until a change counts that a command made beside a running server. */
export async function until(counts: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + untilSeconds * 1000;
  while (!(await counts())) {
    if (performance.now() > end) throw new Error(`the change does not count after ${untilSeconds} s`);
    await sleep(50);
  }
}

/** Ten times what it may take: time is not what tests measure. */
const untilSeconds = 10;

interface Sent {
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly service: string;
}

async function send(url: string, sent: Sent, credentials: Credentials | undefined, at: Date): Promise<HttpAnswer> {
  const headers = credentials === undefined ? sent.headers : await sign(url, sent, credentials, at);
  return http(`${url}/`, { method: 'POST', headers, body: sent.body });
}

async function sign(url: string, { headers, body, service }: Sent, credentials: Credentials, at: Date) {
  const { host, hostname, port, protocol } = new URL(url);
  const request = { protocol, hostname, port: Number(port), method: 'POST', path: '/', query: {}, body };
  const signed = await awsSigner(credentials, { service }).sign(
    { ...request, headers: { ...headers, host } },
    { signingDate: at },
  );
  return signed.headers;
}
