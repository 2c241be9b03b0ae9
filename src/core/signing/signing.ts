import type { Call } from '../access/caller.ts';
import type { Digest } from '../values/digest.ts';
import type { ImageIdentifier } from '../values/image-reference.ts';
import type { ImageSigning, SigningRule } from './signing-records.ts';

/** Which images are signed when they are pushed, and what came of it. */
export interface Signing {
  /** Refuses with signing-configuration-not-found. */
  rules(call: Call): Promise<readonly SigningRule[]>;
  /** Replaces what there was. Refuses with signing-profile-unusable. */
  putRules(call: Call, rules: readonly SigningRule[]): Promise<void>;
  /** Refuses with signing-configuration-not-found. @returns what there was */
  deleteRules(call: Call): Promise<readonly SigningRule[]>;
  /** One for each profile that was to sign the image. Refuses with repository-not-found, image-not-found. */
  imageStatuses(
    call: Call,
    input: { repositoryName: string; imageId: ImageIdentifier },
  ): Promise<{ readonly digest: Digest; readonly statuses: readonly ImageSigning[] }>;
}
