import type { ChangeCause } from '../history/history-records.ts';
import type { Image } from '../images/image-records.ts';
import type { Records } from '../metadata-store.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { signatureKindOf } from './signature-kinds.ts';
import { profilesFor } from './signing-rules.ts';

/**
 * Has an image that was pushed signed by each profile whose rule matches its repository, with the transaction of the push.
 * Signatures are never signed; what was copied here comes with its signatures.
 *
 * @param tag that it was pushed under, if any
 */
export async function startSigning(
  records: Records,
  { repository, cause, at }: { readonly repository: Repository; readonly cause: ChangeCause; readonly at: Date },
  { id, digest, artifactType }: Image,
  tag: string | undefined,
): Promise<void> {
  if (cause === 'replication' || cause === 'cache') return;
  const rules = await records.signing.rules(repository.registry);
  if (!rules || signatureKindOf(artifactType, tag)) return;
  for (const profileArn of profilesFor(rules, repository.name)) {
    await records.signing.putStatus(id, { profileArn, status: 'IN_PROGRESS', updatedAt: at });
    const payload = { repositoryId: repository.id, digest, profileArn };
    await records.jobs.enqueue({ kind: 'sign-image', key: `${repository.id}/${digest}/${profileArn}`, payload }, at);
  }
}
