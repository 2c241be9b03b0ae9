/** What a layer may ask of its reader. */
export interface LayerLimits {
  /** Of the unpacked archive. */
  readonly bytesMax: number;
  readonly entriesMax: number;
  /** How many bytes may come of one, once more than `ratioFromBytes` have come: a file of zeros is no bomb. */
  readonly ratioMax: number;
  readonly ratioFromBytes: number;
  /** Packages, whiteouts and links that are kept, each. */
  readonly recordsMax: number;
}

export const layerLimits: LayerLimits = {
  bytesMax: 32 * 1024 ** 3,
  entriesMax: 5_000_000,
  ratioMax: 200,
  ratioFromBytes: 1024 ** 3,
  recordsMax: 500_000,
};
