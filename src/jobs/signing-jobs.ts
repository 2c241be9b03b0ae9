import type { CoreDependencies } from '../core/dependencies.ts';
import { failSigning, SigningError, type SigningSettings, signImage } from '../core/signing/sign-image.ts';
import { GiveUpError, type JobHandler } from './job-handler.ts';

/** Somebody waits for it: what does not come to be within half an hour has failed, and says so. */
const ATTEMPTS_MAX = 10;

export function signImageJob(dependencies: CoreDependencies, settings: SigningSettings): JobHandler<'sign-image'> {
  return {
    attemptsMax: ATTEMPTS_MAX,
    retrySeconds: (attempts) => Math.min(2 ** attempts, 600),
    atOnceMax: 4,
    async run(wanted, { signal, attempts }) {
      try {
        await signImage(dependencies, settings, wanted, signal);
      } catch (error) {
        if (error instanceof SigningError) throw new GiveUpError(error.message, { cause: error });
        if (attempts >= ATTEMPTS_MAX && !signal.aborted) await failSigning(dependencies, wanted, error);
        throw error;
      }
    },
  };
}
