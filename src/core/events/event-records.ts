import type { Registry } from '../values/registry.ts';
import type { RegistryEvent } from './registry-event.ts';

/** An event as it was announced. */
export interface StoredEvent {
  readonly id: number;
  readonly registry: Registry;
  readonly event: RegistryEvent;
  readonly at: Date;
}

/** Where events are delivered to. */
export interface EventTarget {
  readonly name: string;
  readonly kind: EventTargetKind;
  /** What the kind needs: an address, a path, a filter. */
  readonly settings: Readonly<Record<string, string>>;
  /** Sealed under the registry's key. */
  readonly sealedSecret?: Uint8Array;
  readonly createdAt: Date;
}

export type EventTargetKind = 'webhook' | 'file' | 'eventbridge';

export interface EventReads {
  find(id: number): Promise<StoredEvent | undefined>;
  /**
   * Events with larger ids, in the order of ids. None is given before all that will come with smaller ones are there, so that who
   * goes on after the last misses none; for a transaction that does not end there may be none until then.
   */
  after(id: number, limit: number): Promise<StoredEvent[]>;
  /** The largest id, 0 without events. */
  lastId(): Promise<number>;
  /** The largest id of those announced before a time, 0 without any. */
  lastIdBefore(time: Date): Promise<number>;
  /** In the order of names. */
  targets(): Promise<EventTarget[]>;
}

export interface EventRecords extends EventReads {
  /** Adds events of one moment, in their order. @returns their ids, ascending */
  insert(announced: {
    readonly registry: Registry;
    readonly events: readonly RegistryEvent[];
    readonly at: Date;
  }): Promise<number[]>;
  /** Forgets events older than a time, but not those that a job still delivers unless they are as old as that. @returns how many */
  deleteBefore(times: { readonly delivered: Date; readonly any: Date }, limit: number): Promise<number>;
  /** Adds or replaces by name. */
  putTarget(target: EventTarget): Promise<void>;
  /** @returns whether there was one */
  deleteTarget(name: string): Promise<boolean>;
}
