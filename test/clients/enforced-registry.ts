import {
  ACCOUNT,
  type Access,
  ecrCall,
  passwordOf,
  policyOf,
  prepareAccess,
  startEnforcedServer,
} from '../support/access.ts';
import type { RunningServer } from '../support/server.ts';

/** A server that asks who is there, with whom and what the tests of clients need. */
export interface EnforcedRegistry extends AsyncDisposable {
  readonly server: RunningServer;
  /** docker passwords: of one who may push and pull, of one who may pull, and a robot token to pull with. */
  readonly passwords: { readonly pusher: string; readonly reader: string; readonly robot: string };
  /** Makes a repository; `isPublic` lets anyone pull, as far as its policy goes. */
  repository(name: string, options?: { isPublic?: boolean }): Promise<void>;
}

/** @param anonymousPull whether the server serves clients without credentials, and so challenges with Bearer */
export async function startEnforcedRegistry(anonymousPull: boolean): Promise<EnforcedRegistry> {
  const server = await startEnforcedServer({ args: anonymousPull ? ['--anonymous-pull'] : [] });
  try {
    const access = prepareAccess(server);
    const pusher = await access.user('pusher', { managed: 'AmazonEC2ContainerRegistryPowerUser' });
    const reader = await access.user('reader', { managed: 'AmazonEC2ContainerRegistryReadOnly' });
    const passwords = {
      pusher: await passwordOf(server.url, pusher),
      reader: await passwordOf(server.url, reader),
      robot: await robotToken(access),
    };
    return {
      server,
      passwords,
      async repository(repositoryName, { isPublic = false } = {}) {
        await mustSucceed(server, access, 'CreateRepository', { repositoryName });
        if (!isPublic) return;
        const Action = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchCheckLayerAvailability'];
        const policyText = policyOf({ Effect: 'Allow', Principal: '*', Action });
        await mustSucceed(server, access, 'SetRepositoryPolicy', { repositoryName, policyText });
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

async function robotToken({ gantry }: Access): Promise<string> {
  const principal = `arn:aws:iam::${ACCOUNT}:user/pusher`;
  const words = ['token', 'create', '--principal', principal, '--expires', '1d', '--actions', 'pull', '--json'];
  return (JSON.parse(await gantry(words)) as { password: string }).password;
}

async function mustSucceed(server: RunningServer, { root }: Access, operation: string, input: object): Promise<void> {
  const answer = await ecrCall(server.url, operation, input, root);
  if (answer.status !== 200) throw new Error(`${operation}: ${answer.text()}`);
}
