import { resolve } from 'node:path';
import { filterSettings } from '../core/events/event-filter.ts';
import type { EventTargetKind } from '../core/events/event-records.ts';
import { DETAIL_TYPES } from '../core/events/eventbridge-event.ts';
import { isAccountId, isRegion } from '../core/values/registry.ts';
import { CommandError, type Invocation, isOn, optionText, optionTexts } from './command-spec.ts';

/** What a target of a kind keeps besides its secret. @param address a URL, a file, a bus */
export function targetSettings(invocation: Invocation, kind: EventTargetKind, address: string): Record<string, string> {
  refuseOthers(invocation, kind);
  return { ...SETTINGS_OF[kind](invocation, address), ...filterSettings(filterOf(invocation)) };
}

export function targetKind(text: string): EventTargetKind {
  if (Object.hasOwn(SETTINGS_OF, text)) return text as EventTargetKind;
  throw new CommandError(`'${text}' is no kind of target: webhook, file or eventbridge`);
}

/** Where a target is, as it may be shown: what follows a `?` is often a password. */
export function targetAddress({ url, path, bus, endpoint }: Readonly<Record<string, string>>): string {
  if (url !== undefined) return url.replace(/\?.*$/s, '?…');
  if (path !== undefined) return path;
  return endpoint === undefined ? `${bus}` : `${bus} at ${endpoint}`;
}

const SETTINGS_OF: Record<EventTargetKind, (invocation: Invocation, address: string) => Record<string, string>> = {
  webhook: webhookSettings,
  file: (_, path) => ({ path: resolve(path) }),
  eventbridge: eventBridgeSettings,
};

/** Flags that mean something to one kind only. */
const FLAGS_OF: Record<EventTargetKind, readonly string[]> = {
  webhook: ['allow-http', 'secret-file'],
  file: [],
  eventbridge: ['allow-http', 'endpoint', 'region', 'access-key-id', 'secret-file', 'source'],
};

function refuseOthers({ flags }: Invocation, kind: EventTargetKind): void {
  const foreign = Object.values(FLAGS_OF).flat();
  const flag = foreign.find((each) => flags[each] !== undefined && !FLAGS_OF[kind].includes(each));
  if (flag !== undefined) throw new CommandError(`--${flag} means nothing to a target that is a ${kind}`);
}

function webhookSettings(invocation: Invocation, address: string): Record<string, string> {
  const url = httpUrl(address);
  if (url.username !== '' || url.password !== '') {
    throw new CommandError('A password in the address would be shown; deliveries prove themselves by their signature');
  }
  return { url: url.href, ...httpAllowance(invocation, url) };
}

function httpAllowance(invocation: Invocation, { protocol }: URL): Record<string, string> {
  if (isOn(invocation, 'allow-http')) return { allowHttp: 'true' };
  if (protocol !== 'http:') return {};
  throw new CommandError(
    'Over http everybody on the way reads events. Take https, or add --allow-http for an address of this machine or a private network',
  );
}

function eventBridgeSettings(invocation: Invocation, bus: string): Record<string, string> {
  if (!/^[\w.:/-]{1,1600}$/.test(bus)) throw new CommandError(`'${bus}' is no event bus: give its name or ARN`);
  const region = optionText(invocation, 'region') ?? bus.split(':')[3] ?? '';
  if (!isRegion(region)) throw new CommandError('--region must name the region of the event bus, such as eu-west-1');
  const accessKeyId = optionText(invocation, 'access-key-id');
  if (accessKeyId === undefined) {
    throw new CommandError('--access-key-id and --secret-file must give an access key that may call events:PutEvents');
  }
  const endpoint = optionText(invocation, 'endpoint');
  const source = optionText(invocation, 'source') ?? (isAmazon(endpoint) ? 'gantry.ecr' : 'aws.ecr');
  const bound = { bus, region, accessKeyId, source };
  if (endpoint === undefined) return bound;
  const url = httpUrl(endpoint);
  return { ...bound, endpoint: url.href, ...httpAllowance(invocation, url) };
}

/** Amazon lets nobody else say `aws.` (EventBridge API, PutEvents: NotAuthorizedForSourceException). */
function isAmazon(endpoint: string | undefined): boolean {
  return endpoint === undefined || /\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/.test(httpUrl(endpoint).hostname);
}

function httpUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new CommandError(`'${text}' is no URL of a server: it must begin with https:// or http://`);
}

function filterOf(invocation: Invocation) {
  const detailTypes = optionTexts(invocation, 'detail-type');
  const repositories = optionTexts(invocation, 'repository');
  const accounts = optionTexts(invocation, 'account');
  for (const type of detailTypes) {
    if (!DETAIL_TYPES.some((known) => known === type)) {
      throw new CommandError(`'${type}' is no detail type; there are: ${DETAIL_TYPES.join(', ')}`);
    }
  }
  for (const account of accounts) {
    if (!isAccountId(account)) throw new CommandError(`--account must be twelve digits, not '${account}'`);
  }
  for (const pattern of repositories) {
    if (!/^[a-z0-9*._/-]{1,256}$/.test(pattern)) {
      throw new CommandError(`'${pattern}' fits the name of no repository; * stands for any characters`);
    }
  }
  return { detailTypes, repositories, accounts };
}
