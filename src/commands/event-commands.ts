import { EVENT_SETTINGS } from '../config/settings.ts';
import type { CommandOption, CommandSpec } from './command-spec.ts';
import { JSON_OPTION } from './shared-options.ts';

const TARGET = { name: 'name', description: 'name of the target' };
const DELIVERY = { name: 'id', description: 'of one delivery, as events dead list shows it', isOptional: true };
const ALL_OPTION = { flag: 'all', description: 'every delivery that was given up' };

const settings = EVENT_SETTINGS;
const options = [JSON_OPTION];

const FILTER_OPTIONS: readonly CommandOption[] = [
  {
    flag: 'detail-type',
    placeholder: 'type',
    description: "only events of it, such as 'ECR Image Action'; several times, or with commas between",
    repeats: true,
  },
  {
    flag: 'repository',
    placeholder: 'pattern',
    description: 'only events in repositories of that name, in which * stands for any characters; several times',
    repeats: true,
  },
  { flag: 'account', placeholder: 'digits', description: 'only events of this account; several times', repeats: true },
];

/** What happens, and who is told. */
export const EVENT_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'events tail',
    description: 'show events as they happen',
    settings,
    options: [
      { flag: 'since', placeholder: 'when', description: 'begin with those since 1h ago, or since 2026-11-22T05:00Z' },
      JSON_OPTION,
    ],
    load: async () => (await import('./event-tail.ts')).tailEvents,
  },
  {
    words: 'events target add',
    description: 'tell a webhook, a file or an event bus of events from now on',
    operands: [
      TARGET,
      { name: 'kind', description: 'webhook, file or eventbridge' },
      { name: 'address', description: 'URL of the webhook, path of the file, or name or ARN of the event bus' },
    ],
    settings,
    options: [
      ...FILTER_OPTIONS,
      {
        flag: 'secret-file',
        placeholder: 'file',
        description:
          'webhook: the key of its signatures, made and shown once when left out; eventbridge: the secret access key; - is standard input',
      },
      {
        flag: 'allow-http',
        description: 'webhook, eventbridge: deliver over http, to this machine or a private network',
      },
      { flag: 'access-key-id', placeholder: 'id', description: 'eventbridge: of a key that may call events:PutEvents' },
      { flag: 'region', placeholder: 'name', description: "eventbridge: the bus's, unless it is an ARN" },
      { flag: 'endpoint', placeholder: 'url', description: "eventbridge: the server to call, unless it is Amazon's" },
      {
        flag: 'source',
        placeholder: 'text',
        description:
          'eventbridge: source of the events (gantry.ecr on Amazon, which keeps aws. to itself, else aws.ecr)',
      },
      { flag: 'replace', description: 'change a target there is; it keeps its secret when none is given' },
      JSON_OPTION,
    ],
    load: async () => (await import('./event-target.ts')).addTarget,
  },
  {
    words: 'events target list',
    description: 'list who is told of which events',
    settings,
    options,
    load: async () => (await import('./event-target.ts')).listTargets,
  },
  {
    words: 'events target remove',
    description: 'tell a target of nothing any more; what waits for it is forgotten',
    operands: [TARGET],
    settings,
    options,
    load: async () => (await import('./event-target.ts')).removeTarget,
  },
  {
    words: 'events target test',
    description: 'send a target a test event now, and show what it says; exit status 1 when it does not take it',
    operands: [TARGET],
    settings,
    options,
    load: async () => (await import('./event-target.ts')).testTarget,
  },
  {
    words: 'events dead list',
    description: 'list deliveries that were given up, and why',
    settings,
    options,
    load: async () => (await import('./event-dead.ts')).listDead,
  },
  {
    words: 'events dead retry',
    description: 'try a delivery again, as if new, or all of them',
    operands: [DELIVERY],
    settings,
    options: [ALL_OPTION, JSON_OPTION],
    load: async () => (await import('./event-dead.ts')).retryDead,
  },
  {
    words: 'events dead discard',
    description: 'forget a delivery that was given up, or all of them',
    operands: [DELIVERY],
    settings,
    options: [ALL_OPTION, JSON_OPTION],
    load: async () => (await import('./event-dead.ts')).discardDead,
  },
];
