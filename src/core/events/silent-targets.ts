import { DeliveryError } from './event-sender.ts';

/**
 * Lets one delivery at a time go to a target that takes its time to fail, so that it holds up no deliveries to others;
 * the rest fail at once and wait for their next attempt.
 */
export interface SilentTargets {
  /** Runs a delivery to a target, or rejects with DeliveryError without. */
  guard<T>(target: string, send: () => Promise<T>): Promise<T>;
}

export function createSilentTargets(): SilentTargets {
  /** Those that let the last delivery wait in vain, and whether one waits now. */
  const silent = new Map<string, { isAsked: boolean }>();
  return {
    async guard(target, send) {
      const present = silent.get(target);
      if (present?.isAsked) throw new DeliveryError('not tried: it does not answer, and another delivery waits for it');
      if (present) present.isAsked = true;
      try {
        const answer = await send();
        silent.delete(target);
        return answer;
      } catch (error) {
        if (error instanceof DeliveryError && error.isSilence) silent.set(target, { isAsked: false });
        else silent.delete(target);
        throw error;
      }
    },
  };
}
