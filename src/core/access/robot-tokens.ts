import { createHash, timingSafeEqual } from 'node:crypto';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { parseIdentityArn } from './arn.ts';
import type { Caller } from './caller.ts';
import type { Directory } from './directory.ts';
import type { RobotToken } from './identity-records.ts';
import { parsePolicy } from './policy/document.ts';

/** Long-lived docker passwords for hosts that cannot sign: they act for a principal, within bounds of their own. */
export interface RobotTokens {
  /** Throws PolicyError when the patterns make no policy, or a longer one than a policy can be. */
  create(input: NewRobotToken): Promise<{ password: string; token: RobotToken }>;
  /** The caller behind a password; undefined when it is no robot token, was revoked or has expired. */
  read(password: string): Promise<Caller | undefined>;
}

export type NewRobotToken = Pick<RobotToken, 'principalArn' | 'actions' | 'repositories'> & {
  readonly expiresSeconds: number;
};

const PREFIX = 'gantry_';
/** How precisely `lastUsedAt` is known: a write for each pull would cost more than it tells. */
const LAST_USED_SECONDS = 60;

const ACTIONS: Record<RobotToken['actions'][number], readonly string[]> = {
  pull: [
    'ecr:BatchGetImage',
    'ecr:GetDownloadUrlForLayer',
    'ecr:BatchCheckLayerAvailability',
    'ecr:ListImages',
    'ecr:DescribeImages',
    'ecr:ListImageReferrers',
  ],
  push: [
    'ecr:BatchCheckLayerAvailability',
    'ecr:InitiateLayerUpload',
    'ecr:UploadLayerPart',
    'ecr:CompleteLayerUpload',
    'ecr:PutImage',
    'ecr:BatchGetImage',
    'ecr:CreateRepository',
    // What a Gantry asks that copies images here.
    'ecr:ReplicateImage',
  ],
  delete: ['ecr:BatchDeleteImage'],
};

export function createRobotTokens(dependencies: CoreDependencies, directory: Directory): RobotTokens {
  const { metadata, now, newId, randomBytes, settings } = dependencies;
  const usedAt = new Map<string, number>();

  const noteUse = async (id: string) => {
    const at = now();
    if (at.getTime() - (usedAt.get(id) ?? -Infinity) < LAST_USED_SECONDS * 1000) return;
    usedAt.set(id, at.getTime());
    // A pull does not depend on it: it works on a full disk, too.
    await metadata
      .transaction('own-rows', (records) => records.access.usedRobotToken(id, at))
      .catch(() => usedAt.delete(id));
  };

  return {
    async create({ principalArn, actions, repositories, expiresSeconds }) {
      const identity = parseIdentityArn(principalArn);
      if (!identity || identity.kind === 'group') throw new Error(`${principalArn} is no user or role`);
      // What it may do is a policy made from this at each use: one that is none must not wait until then.
      parsePolicy(sessionPolicyOf({ actions, repositories }), 'identity');
      const id = newId().replaceAll('-', '').slice(0, 12);
      const secret = Buffer.from(randomBytes(24)).toString('base64url');
      const createdAt = now();
      const token: RobotToken = {
        id,
        accountId: identity.accountId,
        principalArn,
        secretSha256: sha256(secret),
        actions,
        repositories,
        createdAt,
        expiresAt: secondsAfter(createdAt, expiresSeconds),
      };
      await metadata.transaction('registry', (records) => records.access.insertRobotToken(token));
      await directory.refresh();
      return { password: `${PREFIX}${id}_${secret}`, token };
    },

    async read(password) {
      if (!password.startsWith(PREFIX)) return undefined;
      const separator = password.indexOf('_', PREFIX.length);
      const id = password.slice(PREFIX.length, separator);
      const token = separator < 0 ? undefined : await directory.robotToken(id);
      if (!token || !timingSafeEqual(sha256(password.slice(separator + 1)), token.secretSha256)) return undefined;
      if (token.expiresAt <= now()) return undefined;
      const caller = await callerOf(directory, token, settings.partition);
      if (caller) await noteUse(id);
      return caller;
    },
  };
}

async function callerOf(directory: Directory, token: RobotToken, partition: string): Promise<Caller | undefined> {
  const identity = parseIdentityArn(token.principalArn);
  if (!identity) return undefined;
  const { accountId, name } = identity;
  const limits = { robotTokenId: token.id, sessionPolicies: [sessionPolicyOf(token)] };
  if (identity.kind === 'user') {
    const user = await directory.user(accountId, name);
    const { principalArn: arn } = token;
    return user && { kind: 'user', accountId, arn, userId: user.userId, userName: name, ...limits };
  }
  const role = await directory.role(accountId, name);
  if (!role) return undefined;
  const arn = `arn:${partition}:sts::${accountId}:assumed-role/${name}/${token.id}`;
  const userId = `${role.roleId}:${token.id}`;
  return { kind: 'assumed-role', accountId, arn, userId, roleArn: token.principalArn, ...limits };
}

function sessionPolicyOf({ actions, repositories }: Pick<RobotToken, 'actions' | 'repositories'>): string {
  const Action = [...new Set(actions.flatMap((action) => ACTIONS[action]))];
  const Resource = repositories.map((pattern) => `arn:*:ecr:*:*:repository/${pattern}`);
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] });
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
