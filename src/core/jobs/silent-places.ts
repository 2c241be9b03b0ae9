/**
 * Lets one job at a time go to a place that let the last one wait in vain, so that it holds up no jobs for other places; the
 * rest fail at once and wait for their next attempt.
 */
export interface SilentPlaces {
  /**
   * Runs work with a place, or rejects without, as `notTried` says. The rest wait no longer once work has told that the place
   * answered, however long the work takes.
   */
  guard<T>(place: string, work: (answered: () => void) => Promise<T>): Promise<T>;
}

/** @param isSilence whether what work threw means that the place did not answer */
export function createSilentPlaces({
  isSilence,
  notTried,
}: {
  isSilence: (error: unknown) => boolean;
  notTried: (place: string) => Error;
}): SilentPlaces {
  /** Those that let the last job wait in vain, and whether one waits now. */
  const silent = new Map<string, { isAsked: boolean }>();
  return {
    async guard(place, work) {
      const present = silent.get(place);
      if (present?.isAsked) throw notTried(place);
      if (present) present.isAsked = true;
      try {
        const value = await work(() => silent.delete(place));
        silent.delete(place);
        return value;
      } catch (error) {
        if (isSilence(error)) silent.set(place, { isAsked: false });
        else silent.delete(place);
        throw error;
      }
    },
  };
}
