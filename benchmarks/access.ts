import { basic, type Credentials, ecrCall, passwordOf, policyOf, prepareAccess } from '../test/support/access.ts';
import { pushImage, randomImage } from '../test/support/images.ts';
import type { Outcome } from './load/generate.ts';
import { sample } from './measure.ts';
import type { Scenario } from './scenario.ts';
import type { Subject } from './subjects.ts';

const repositoryName = 'bench/access';
const tag = 'v1';

/** What it costs the server to find out who asks and whether they may: signatures as SDKs make them, audit trail included. */
export const accessCalls: Scenario = {
  name: 'access-calls',
  title: 'BatchGetImage, signed by a user with a managed policy, per request',
  unit: 'µs CPU',
  target: { kind: 'moreMax', value: 150 },
  subjects: ['gantry', 'enforced'],
  versus: ['enforced', 'gantry'],
  prepare,
  round: (subject, { divisor }) =>
    sample(subject.pid, 'cpuMicroseconds', {
      kind: 'call-signed',
      port: subject.port,
      operation: 'BatchGetImage',
      input: { repositoryName, imageIds: [{ imageTag: tag }] },
      credentials: callerOf(subject).credentials,
      connections: 8,
      seconds: 4 / Math.min(divisor, 8),
    }),
};

/** What is left of the rate of pulls, audit trail included: most of what is lost is the writing of that. */
export const accessPulls: Scenario = {
  name: 'access-pulls',
  title: 'manifest GET by tag, 64 connections, with a token of GetAuthorizationToken',
  unit: '/s',
  target: { kind: 'ratioMin', value: 0.7 },
  subjects: ['gantry', 'enforced'],
  versus: ['enforced', 'gantry'],
  prepare,
  round: (subject, { divisor }) =>
    sample(subject.pid, 'perSecond', {
      kind: 'get-again',
      port: subject.port,
      path: `/v2/${repositoryName}/manifests/${tag}`,
      authorization: callerOf(subject).authorization,
      connections: 64,
      seconds: 4 / Math.min(divisor, 8),
    }),
};

interface Caller {
  readonly credentials: Credentials;
  /** The Authorization header of a docker client. */
  readonly authorization: string;
}

const callers = new WeakMap<Subject, Caller>();

function callerOf(subject: Subject): Caller {
  const caller = callers.get(subject);
  if (caller === undefined) throw new Error('callers are made before the first round');
  return caller;
}

/** A user and an image in a repository that has a policy, as repositories of an account with several teams do. */
async function prepare(subject: Subject): Promise<Outcome> {
  const start = performance.now();
  const url = `http://127.0.0.1:${subject.port}`;
  const isEnforced = subject.name === 'enforced';
  const anybody: Credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
  const access = isEnforced ? prepareAccess({ data: subject.folder }) : undefined;
  const root = access?.root ?? anybody;
  const managed = 'AmazonEC2ContainerRegistryPowerUser';
  const credentials = (await access?.user('bench', { managed })) ?? anybody;
  const authorization = basic(await passwordOf(url, credentials)).Authorization;
  callers.set(subject, { credentials, authorization });
  const Principal = { AWS: '111122223333' };
  const policyText = policyOf({
    Effect: 'Allow',
    Principal,
    Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
  });
  for (const [operation, input] of [
    ['CreateRepository', { repositoryName }],
    ['SetRepositoryPolicy', { repositoryName, policyText }],
  ] as const) {
    const answer = await ecrCall(url, operation, input, root);
    if (answer.status !== 200) throw new Error(`${operation}: ${answer.text()}`);
  }
  await pushImage(url, repositoryName, tag, randomImage(), { Authorization: authorization });
  return { seconds: (performance.now() - start) / 1000, bytes: 0, operations: 1 };
}
