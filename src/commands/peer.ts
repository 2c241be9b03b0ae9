import { peerConnector } from '../compose/replication.ts';
import { EVENT_SETTINGS } from '../config/settings.ts';
import { createPeers, openPeer, type Peers } from '../core/replication/peers.ts';
import { UpstreamError } from '../core/upstreams/upstream.ts';
import { isAccountId, isRegion, type Registry } from '../core/values/registry.ts';
import { type AccessSession, openAccessSession } from './access-session.ts';
import { CommandError, type Invocation, isOn, optionText } from './command-spec.ts';
import { checkKeyFile } from './key.ts';
import { describeTime, say, sayList } from './output.ts';
import { givenPeerSecret, peerAddress, peerSettings } from './peer-settings.ts';

/** `gantry peer add --account DIGITS --region NAME --url URL` */
export async function addPeer(invocation: Invocation): Promise<void> {
  const registry = registryOf(invocation);
  const settings = peerSettings(invocation);
  const url = peerAddress(invocation, settings.kind, registry);
  const secret = await givenPeerSecret(invocation);
  const replace = isOn(invocation, 'replace');
  await using session = await openPeerSession(invocation);
  if (secret !== undefined) await checkKeyFile(session);
  const peer = { registry, url, settings, ...(secret !== undefined && { secret }) };
  await session.peers.put(peer, { replace });
  await session.recordChange('PutPeer', { registryId: registry.accountId, region: registry.region, url, settings });
  const lines = [
    `The registry ${nameOf(registry)} is ${url} (${settings.kind}) from now on.`,
    `  gantry peer test --account ${registry.accountId} --region ${registry.region}`,
  ];
  say(invocation, lines, { registry, url, settings });
}

/** `gantry peer list` */
export async function listPeers(invocation: Invocation): Promise<void> {
  await using session = await openPeerSession(invocation);
  const peers = (await session.peers.list()).map(({ sealedSecret: _, ...peer }) => peer);
  sayList(invocation, peers, {
    headings: ['ACCOUNT', 'REGION', 'KIND', 'CREATED', 'AS', 'ADDRESS'],
    row: ({ registry, settings, createdAt, url }) => [
      registry.accountId,
      registry.region,
      settings.kind,
      describeTime(createdAt),
      settings.username ?? settings.accessKeyId ?? 'nobody',
      url,
    ],
    none: 'There are no peers: every destination is a registry of this server.',
  });
}

/** `gantry peer remove --account DIGITS --region NAME` */
export async function removePeer(invocation: Invocation): Promise<void> {
  const registry = registryOf(invocation);
  await using session = await openPeerSession(invocation);
  await session.peers.remove(registry);
  await session.recordChange('DeletePeer', { registryId: registry.accountId, region: registry.region });
  say(invocation, `The registry ${nameOf(registry)} is no peer any more.`, { deleted: registry });
}

/** `gantry peer test --account DIGITS --region NAME` */
export async function testPeer(invocation: Invocation): Promise<void> {
  const registry = registryOf(invocation);
  await using session = await openPeerSession(invocation);
  const peer = openPeer(session.access.box, await session.peers.get(registry));
  const { accountId, region } = session;
  await using connection = peerConnector(session.dependencies)(peer, { accountId, region });
  await connection.upstream.ping().catch((error: unknown) => {
    if (!(error instanceof UpstreamError)) throw error;
    throw new CommandError(`The registry ${nameOf(registry)} cannot be used: ${error.message}`);
  });
  say(invocation, `The registry ${nameOf(registry)} answers and takes the credentials.`, { registry, answers: true });
}

interface PeerSession extends AccessSession {
  readonly peers: Peers;
}

/** Commands about peers use flags of the commands about access for something else, such as --account. */
async function openPeerSession(invocation: Invocation): Promise<PeerSession> {
  const ours = EVENT_SETTINGS.map(({ flag }): string => flag);
  const flags = Object.fromEntries(Object.entries(invocation.flags).filter(([flag]) => ours.includes(flag)));
  const session = await openAccessSession({ ...invocation, flags });
  return { ...session, peers: createPeers(session.dependencies, session.access.box) };
}

function registryOf(invocation: Invocation): Registry {
  const accountId = optionText(invocation, 'account') ?? '';
  const region = optionText(invocation, 'region') ?? '';
  if (!isAccountId(accountId)) throw new CommandError(`--account must be twelve digits, not '${accountId}'`);
  if (!isRegion(region)) throw new CommandError(`--region must be the name of a region, not '${region}'`);
  return { accountId, region };
}

function nameOf({ accountId, region }: Registry): string {
  return `${accountId} in ${region}`;
}
