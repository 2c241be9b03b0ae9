import type * as Sdk from '@aws-sdk/client-ecr';
import type { Action } from '../../core/access/authorizer.ts';
import type { Call } from '../../core/access/caller.ts';
import type { RequestFacts } from '../../core/access/request-facts.ts';
import type { Core } from '../../core/core.ts';
import type { LayerPart } from './layers/part-body.ts';

type SdkExports = typeof Sdk;

/** Every operation the SDK knows: one that AWS adds stops the build until `operations.ts` has it. */
export type OperationName = {
  [K in keyof SdkExports]: K extends `${infer Name}Command`
    ? `${Name}$` extends keyof SdkExports
      ? Name
      : never
    : never;
}[keyof SdkExports];

type Command<N extends OperationName> = InstanceType<SdkExports[`${N}Command`]>;

/** What an operation takes, after the check: required members are there, and null counts as absent. */
export type Input<N extends OperationName> = Checked<Command<N>['input']>;

/** What an operation answers. Members that are undefined are left out. */
export type Output<N extends OperationName> = Omit<
  Awaited<ReturnType<ReturnType<Command<N>['resolveMiddleware']>>>['output'],
  '$metadata'
>;

type Checked<T> = T extends Uint8Array | Date
  ? T
  : T extends readonly (infer E)[]
    ? readonly Checked<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Checked<NonNullable<T[K]>> }
      : T;

/** One request of an operation, read and checked. */
export interface OperationRequest<N extends OperationName> {
  readonly core: Core;
  readonly call: Call;
  readonly input: Input<N>;
  /** Scheme and host that this client reaches the server by. */
  readonly baseUrl: string;
  /** The bytes of `layerPartBlob`, which stays out of `input`. UploadLayerPart alone has it. */
  readonly layerPart: LayerPart | undefined;
}

export interface Operation<N extends OperationName> {
  /** The IAM action that a caller needs (Service Authorization Reference, Amazon ECR). */
  readonly action: `ecr:${OperationName}`;
  /** ARNs of what the action is done to; `*` where IAM knows no resource for it. */
  readonly resources: (call: Call, input: Input<N>) => readonly string[];
  /** Actions that a caller needs besides, depending on what is asked for. */
  readonly alsoNeeds?: (input: Input<N>) => readonly Action[];
  /** What policies may make their decision depend on. */
  readonly facts?: (input: Input<N>) => RequestFacts;
  /** Undefined while the operation is not there yet. */
  readonly run?: (request: OperationRequest<N>) => Promise<Output<N>>;
  /** The exception that says which constraint was broken; InvalidParameterException unless given. */
  readonly violation?: 'ValidationException';
}
