import type { Registry } from '../values/registry.ts';

/** Which images a signer profile signs when they are pushed (ECR API, SigningRule). */
export interface SigningRule {
  readonly profileArn: string;
  /** Whole repository names, `*` standing for any characters; every repository when there are none. */
  readonly filters: readonly string[];
}

/** ECR's SigningStatus. */
export type SigningStatus = 'IN_PROGRESS' | 'COMPLETE' | 'FAILED';

/** How far the signing of an image by a profile has come. */
export interface ImageSigning {
  readonly profileArn: string;
  readonly status: SigningStatus;
  /** Why it failed. */
  readonly failureCode?: string;
  readonly failureReason?: string;
  readonly updatedAt: Date;
}

export interface SigningReads {
  /** Undefined unless the registry was configured. */
  rules(registry: Registry): Promise<readonly SigningRule[] | undefined>;
  /** Of every registry that was configured. */
  allRules(): Promise<{ readonly registry: Registry; readonly rules: readonly SigningRule[] }[]>;
  /** In the order of the profiles' ARNs. */
  statusesOf(imageId: number): Promise<ImageSigning[]>;
}

export interface SigningRecords extends SigningReads {
  /** Replaces what there was. */
  putRules(registry: Registry, rules: readonly SigningRule[]): Promise<void>;
  /** @returns whether there were any */
  deleteRules(registry: Registry): Promise<boolean>;
  /** Adds or replaces by profile; nothing happens when the image is gone. */
  putStatus(imageId: number, signing: ImageSigning): Promise<void>;
}
