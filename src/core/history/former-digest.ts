import { type CoreSettings, secondsAfter } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import type { Change } from '../images/image-changes.ts';
import type { Image } from '../images/image-records.ts';
import type { Records } from '../metadata-store.ts';
import type { Digest } from '../values/digest.ts';

/** A tag that came back after a while was on nothing before: so many changes are looked at for what it was on. */
const CHANGES_MAX = 100;

interface Wanted {
  readonly tag: string;
  readonly current: Image | undefined;
  /** Absent: before its latest change. */
  readonly moment?: Date;
}

/** What a tag was on, as far as it is remembered. Refuses with tag-not-restorable. */
export async function formerDigestOf(
  records: Records,
  settings: CoreSettings,
  change: Change,
  { tag, current, moment }: Wanted,
): Promise<Digest> {
  const { repository, at } = change;
  const refuseBecause = (because: string): never => {
    const registryId = repository.registry.accountId;
    return refuse({ kind: 'tag-not-restorable', because, tag, repositoryName: repository.name, registryId });
  };
  const since = secondsAfter(at, -settings.undoSeconds);
  if (!moment) {
    const changes = await records.history.tagChanges(repository.id, tag, undefined, CHANGES_MAX);
    const former = changes
      .map(({ formerDigest }) => formerDigest)
      .find((digest) => digest && digest !== current?.digest);
    return former ?? refuseBecause(`it is not known to have been on another image since ${since.toISOString()}`);
  }
  if (moment > at) return refuseBecause(`${moment.toISOString()} is yet to come`);
  if (moment < since) return refuseBecause(`what it was on before ${since.toISOString()} is forgotten`);
  const latest = await records.history.tagChangeAt(repository.id, tag, moment);
  const next = latest ? undefined : await records.history.firstTagChange(repository.id, tag);
  const then = latest ? latest.digest : next ? next.formerDigest : current?.digest;
  return then ?? refuseBecause(`there was no such tag at ${moment.toISOString()}`);
}
