import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Client, type ClientOptions, describeClient } from '../support/client.ts';
import type { Ran } from '../support/programs.ts';
import { type EnforcedRegistry, startEnforcedRegistry } from './enforced-registry.ts';

/** A real client, with an image of its own to push. */
export interface EnforcedClient extends AsyncDisposable {
  /** Forgets any credentials, then logs in. Clients that know no login keep the password for what follows. */
  login(host: string, password: string): Promise<Ran>;
  logout(host: string): Promise<void>;
  push(reference: string): Promise<Ran>;
  /** Pulls what is not there any more. */
  pull(reference: string): Promise<Ran>;
}

/** What a client must do where access is enforced, with ECR's challenge and with the one for clients without credentials. */
export async function describeEnforcedClient(
  name: string,
  options: ClientOptions & { readonly hasLogin?: boolean },
  start: (client: Client) => Promise<EnforcedClient>,
): Promise<void> {
  await describeClient(`${name} where access is enforced`, options, (client) => {
    let enforced: EnforcedClient;
    before(async () => {
      enforced = await start(client);
    });
    after(() => enforced?.[Symbol.asyncDispose]());
    for (const anonymousPull of [false, true]) {
      describe(anonymousPull ? 'and anyone may pull what is public' : 'as in ECR', () => {
        let registry: EnforcedRegistry;
        before(async () => {
          registry = await startEnforcedRegistry(anonymousPull);
        });
        after(() => registry?.[Symbol.asyncDispose]());
        const world: World = {
          get client() {
            return enforced;
          },
          get registry() {
            return registry;
          },
        };
        tryCredentials(world, options.hasLogin ?? true);
        if (anonymousPull) tryAnonymousPulls(world);
        else tryNoCredentials(world);
      });
    }
  });
}

interface World {
  readonly client: EnforcedClient;
  readonly registry: EnforcedRegistry;
}

function tryCredentials(world: World, hasLogin: boolean): void {
  it('pushes and pulls with a token of GetAuthorizationToken', async () => {
    const { client, registry } = world;
    const reference = await pushed(world);
    await loggedIn(world, registry.passwords.reader);
    succeeded(await client.pull(reference));
  });

  it('pulls with a robot token', async () => {
    const { client, registry } = world;
    const reference = await pushed(world);
    await loggedIn(world, registry.passwords.robot);
    succeeded(await client.pull(reference));
    refused(await client.push(again(reference)), /denied|403 Forbidden|not authorized/i);
  });

  it('is told that it may not push', async () => {
    const { client, registry } = world;
    const reference = await pushed(world);
    await loggedIn(world, registry.passwords.reader);
    refused(await client.push(again(reference)), /denied|403 Forbidden|not authorized/i);
  });

  it('is refused with a wrong password', async () => {
    const { client, registry } = world;
    const reference = await pushed(world);
    const login = await client.login(registry.server.host, 'wrong');
    if (hasLogin) refused(login, /unauthorized|401|invalid username|incorrect/i);
    refused(await client.pull(reference), REFUSED);
  });
}

function tryNoCredentials(world: World): void {
  it('is refused without credentials', async () => {
    const { client, registry } = world;
    const reference = await pushed(world, { isPublic: true });
    await client.logout(registry.server.host);
    refused(await client.pull(reference), REFUSED);
  });
}

function tryAnonymousPulls(world: World): void {
  it('pulls what is public without credentials', async () => {
    const { client, registry } = world;
    const reference = await pushed(world, { isPublic: true });
    await client.logout(registry.server.host);
    succeeded(await client.pull(reference));
  });

  it('neither pulls what is private nor pushes without credentials', async () => {
    const { client, registry } = world;
    const [isPublic, isPrivate] = [await pushed(world, { isPublic: true }), await pushed(world)];
    await client.logout(registry.server.host);
    refused(await client.pull(isPrivate), REFUSED);
    refused(await client.push(again(isPublic)), REFUSED);
  });
}

const REFUSED = /denied|unauthorized|40[13]|no basic auth|not authorized|authentication required/i;

/** Under another tag: clients do not push what they find there already. */
function again(reference: string): string {
  return reference.replace(/:v1$/, ':v2');
}

/** A new repository with the client's image, pushed by whom may. @returns the reference */
async function pushed(world: World, options?: { isPublic?: boolean }): Promise<string> {
  const { client, registry } = world;
  const repository = `enforced/${randomUUID()}`;
  await registry.repository(repository, options);
  const reference = `${registry.server.host}/${repository}:v1`;
  await loggedIn(world, registry.passwords.pusher);
  succeeded(await client.push(reference));
  return reference;
}

async function loggedIn({ client, registry }: World, password: string): Promise<void> {
  succeeded(await client.login(registry.server.host, password));
}

function succeeded({ code, stdout, stderr }: Ran): void {
  assert.equal(code, 0, `${stdout}\n${stderr}`);
}

function refused({ code, stdout, stderr }: Ran, why: RegExp): void {
  assert.notEqual(code, 0, stdout);
  assert.match(stdout + stderr, why);
}
