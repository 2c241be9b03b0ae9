/** Appends lines where the trail is kept. Rejects when it could not; the same lines are then given again. */
export type AppendLines = (lines: readonly string[]) => Promise<void>;
