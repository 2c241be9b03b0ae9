import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../config/settings-reader.ts';
import { createRoleAssumption, type RoleAssumption } from '../core/access/assume-role.ts';
import { type Callers, createCallers } from '../core/access/callers.ts';
import { type Credentials, createCredentials } from '../core/access/credentials.ts';
import { createDirectory, type Directory } from '../core/access/directory.ts';
import { createEnforcingAuthorizer, type EnforcingAuthorizer } from '../core/access/enforcing-authorizer.ts';
import { createIdentities, type Identities } from '../core/access/identities.ts';
import { createPolicies, type Policies } from '../core/access/policies.ts';
import { createRegistryTokens, type RegistryTokens } from '../core/access/registry-tokens.ts';
import { createRobotTokens, type RobotTokens } from '../core/access/robot-tokens.ts';
import { createRoleSessions } from '../core/access/role-sessions.ts';
import { createSecretBox, type SecretBox } from '../core/access/secret-box.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import { createOidcVerifier } from '../drivers/identity/oidc-verifier.ts';

/** Everything about who may do what. */
export interface Access {
  readonly directory: Directory;
  readonly box: SecretBox;
  readonly identities: Identities;
  readonly policies: Policies;
  readonly registryTokens: RegistryTokens;
  readonly robotTokens: RobotTokens;
  readonly credentials: Credentials;
  readonly callers: Callers;
  readonly roleAssumption: RoleAssumption;
  readonly authorizer: EnforcingAuthorizer;
}

/**
 * @param keyFile the key that secrets are sealed under; made when missing. Undefined keeps one in memory
 * @param region of decisions about no repository
 */
export async function openAccess(
  dependencies: CoreDependencies,
  { keyFile, region }: { keyFile: string | undefined; region: string },
): Promise<Access> {
  const box = await openSecretBox(keyFile);
  const directory = createDirectory(dependencies.metadata);
  await directory.refresh();
  const sessions = createRoleSessions(dependencies);
  const registryTokens = createRegistryTokens(dependencies);
  const robotTokens = createRobotTokens(dependencies, directory);
  return {
    directory,
    box,
    identities: createIdentities(dependencies, box),
    policies: createPolicies(dependencies, directory),
    registryTokens,
    robotTokens,
    credentials: createCredentials(dependencies, directory, box, sessions),
    callers: createCallers(directory, registryTokens, robotTokens),
    roleAssumption: createRoleAssumption(
      dependencies,
      directory,
      sessions,
      createOidcVerifier({ now: dependencies.now }),
    ),
    authorizer: createEnforcingAuthorizer(dependencies, directory, region),
  };
}

/** The box of a key file, which is made when missing. Undefined keeps the key in memory. */
export async function openSecretBox(keyFile: string | undefined): Promise<SecretBox> {
  const key = keyFile === undefined ? randomBytes(KEY_BYTES) : await readKey(resolve(keyFile));
  return createSecretBox(key, randomBytes);
}

const KEY_BYTES = 32;

/** The key file holds 32 bytes in base64. Of two processes that make it at once, one's key is taken by both. */
async function readKey(file: string): Promise<Uint8Array> {
  const present = await readFile(file, 'utf8').catch(unlessMissing);
  if (present === undefined) {
    await makeKey(file);
    return readKey(file);
  }
  const key = Buffer.from(present.trim(), 'base64');
  if (key.length !== KEY_BYTES)
    throw new ConfigError(`${file} is no key file: it must hold ${KEY_BYTES} bytes in base64`);
  return key;
}

async function makeKey(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.new`;
  const handle = await open(draft, 'w', 0o600);
  try {
    await handle.writeFile(`${randomBytes(KEY_BYTES).toString('base64')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft);
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
