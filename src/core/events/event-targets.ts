import type { SecretBox } from '../access/secret-box.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { Job } from '../jobs/job-kinds.ts';
import type { Records } from '../metadata-store.ts';
import { targetSecretContext } from './event-delivery.ts';
import type { EventTarget } from './event-records.ts';

/** What was asked of a target cannot be done; the message says why. */
export class EventTargetError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EventTargetError';
  }
}

/** Administration of who is told of events. Throws EventTargetError. */
export interface EventTargets {
  /**
   * @param replace an existing one of the name is changed and keeps what waits for it, and its secret when none is given;
   * else it is refused
   */
  put(target: NewEventTarget, options: { readonly replace: boolean }): Promise<EventTarget>;
  get(name: string): Promise<EventTarget>;
  /** In the order of names. */
  list(): Promise<EventTarget[]>;
  /** What waits for it is forgotten, and what was given up. @returns how many of the latter */
  remove(name: string): Promise<number>;
}

export interface NewEventTarget extends Omit<EventTarget, 'sealedSecret' | 'createdAt'> {
  readonly secret?: string;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Each of them is looked at within every push. */
const TARGETS_MAX = 20;
const PAGE = 200;

export function createEventTargets({ metadata, now }: CoreDependencies, box: SecretBox): EventTargets {
  const find = async (name: string) => (await metadata.read.events.targets()).find((target) => target.name === name);
  return {
    async put({ secret, ...target }, { replace }) {
      const { name } = target;
      checkName(name);
      const sealed = secret === undefined ? undefined : box.seal(secret, targetSecretContext(name));
      const createdAt = now();
      return metadata.transaction('registry', async ({ events }) => {
        const present = await events.targets();
        const before = present.find((each) => each.name === name);
        if (before && !replace) throw new EventTargetError(`There is a target '${name}' already; --replace changes it`);
        if (!before && present.length >= TARGETS_MAX) {
          throw new EventTargetError(`There are ${TARGETS_MAX} targets, which is as many as there may be`);
        }
        const sealedSecret = sealed ?? (before?.kind === target.kind ? before.sealedSecret : undefined);
        const put = { ...target, ...(sealedSecret && { sealedSecret }), createdAt: before?.createdAt ?? createdAt };
        if (sealed) checkKey(box, present);
        await events.putTarget(put);
        return put;
      });
    },
    async get(name) {
      return (await find(name)) ?? refuseUnknown(name);
    },
    list: () => metadata.read.events.targets(),
    async remove(name) {
      return metadata.transaction('registry', async (records) => {
        if (!(await records.events.deleteTarget(name))) refuseUnknown(name);
        return discardGivenUp(records, name);
      });
    },
  };
}

/** A secret under another key than the server's would not open there. */
function checkKey(box: SecretBox, targets: readonly EventTarget[]): void {
  const sealed = targets.find(({ sealedSecret }) => sealedSecret !== undefined);
  try {
    if (sealed?.sealedSecret) box.open(sealed.sealedSecret, targetSecretContext(sealed.name));
  } catch {
    throw new EventTargetError(
      'The key file is not the one under which the secrets of targets are kept; name that one with --key-file',
    );
  }
}

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new EventTargetError(`'${name}' is no name for a target: 1 to 64 letters, digits, '.', '_' and '-'`);
}

function refuseUnknown(name: string): never {
  throw new EventTargetError(`There is no target '${name}'; gantry events target list shows those there are`);
}

async function discardGivenUp({ jobs }: Records, target: string): Promise<number> {
  let discarded = 0;
  let after = 0;
  for (;;) {
    const page = (await jobs.dead('deliver-event', after, PAGE)) as Job<'deliver-event'>[];
    for (const { id } of page.filter(({ payload }) => payload.target === target)) {
      if (await jobs.discard(id)) discarded += 1;
    }
    if (page.length < PAGE) return discarded;
    after = page.at(-1)!.id;
  }
}
