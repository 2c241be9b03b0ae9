import type { Call } from '../access/caller.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { failureOf } from '../images/find-images.ts';
import type { StoredManifest } from '../images/image-records.ts';
import type { FoundImage, ImageFailure, Images } from '../images/images.ts';
import type { PullTimes } from '../pull-times/pull-times.ts';
import type { Digest } from '../values/digest.ts';
import { describeGate } from './evaluate-gate.ts';
import type { GateDecision } from './gate-decision.ts';
import type { StandingGate } from './gate-table.ts';
import type { Gates } from './gates.ts';

/**
 * Images of which those of repositories with a gate are pulled only if that lets them pass. What a gate refuses does not
 * count as pulled. A look is no pull: whoever pushes looks at what a tag is on, and gets no manifest.
 */
export function createGatedImages(
  { metadata, encryption }: Pick<CoreDependencies, 'metadata' | 'encryption'>,
  gates: Gates,
  images: Images,
  pullTimes: Pick<PullTimes, 'note'>,
): Images {
  return {
    ...images,

    async getManifest(call, input) {
      const standing = input.isLook ? undefined : await gates.find(call.registry, input.repositoryName);
      if (!standing) return images.getManifest(call, input);
      const found = await images.getManifest(call, { ...input, isLook: true });
      const reason = await refusalOf(call, standing, found);
      if (reason !== undefined) {
        const { repositoryName } = input;
        const registryId = call.registry.accountId;
        return refuse({ kind: 'gated', reason, digest: found.digest, repositoryName, registryId });
      }
      await pulled(call, standing, [found.digest]);
      return found;
    },

    async getMany(call, input) {
      const standing = input.isLook ? undefined : await gates.find(call.registry, input.repositoryName);
      if (!standing) return images.getMany(call, input);
      const found = await images.getMany(call, { ...input, isLook: true });
      const passed: FoundImage[] = [];
      const failures: ImageFailure[] = [...found.failures];
      for (const image of found.images) {
        const reason = await refusalOf(call, standing, image.manifest);
        if (reason === undefined) passed.push(image);
        else failures.push(failureOf(image.imageId, 'ImageInaccessible', `The image cannot be pulled: ${reason}`));
      }
      await pulled(
        call,
        standing,
        passed.map(({ manifest }) => manifest.digest),
      );
      return { images: passed, failures };
    },
  };

  /** Why a pull is refused; undefined when it is not. */
  async function refusalOf(call: Call, standing: StandingGate, manifest: StoredManifest): Promise<string | undefined> {
    const { gate, repositoryName: repository } = standing;
    const dryRun = gate.isDryRun;
    const judged = gates.judge(standing, manifest);
    const { outcome: decision, reasons } = await (dryRun ? judged.catch(unjudged) : judged);
    const imageDigest = manifest.digest;
    call.onGate?.({ repository, imageDigest, decision, dryRun, gate: describeGate(gate), reasons });
    return decision === 'refused' && !dryRun ? reasons.join('; ') : undefined;
  }

  /** A gate that refuses nothing does not stand in the way either when it cannot tell. */
  function unjudged(error: unknown): GateDecision {
    const reason = error instanceof Error ? error.message : String(error);
    return { outcome: 'refused', reasons: [`it cannot be judged: ${reason.replace(/\.$/, '')}`] };
  }

  async function pulled(call: Call, { gate }: StandingGate, digests: readonly Digest[]): Promise<void> {
    const repository = digests.length > 0 && (await metadata.read.repositories.findById(gate.repositoryId));
    if (!repository) return;
    await encryption.requireKey(repository);
    for (const digest of digests) pullTimes.note(call, repository.id, digest);
  }
}
