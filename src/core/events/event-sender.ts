import type { EventTargetKind } from './event-records.ts';
import type { EventBridgeEvent } from './eventbridge-event.ts';

/** Brings events to targets of one kind. */
export interface EventSender {
  /**
   * Resolves when the other side has the event for good, with what it said, in words for an operator. Rejects with
   * DeliveryError when it does not, or when nobody knows. Its words never hold the secret.
   */
  send(delivery: Delivery): Promise<string>;
}

export interface Delivery {
  readonly settings: Readonly<Record<string, string>>;
  readonly secret?: string;
  readonly event: EventBridgeEvent;
  /** Counted from 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

export type EventSenders = Readonly<Record<EventTargetKind, EventSender>>;

export class DeliveryError extends Error {
  /** Whether the same event would fail the same way again. */
  readonly isFinal: boolean;
  /** Whether the other side was waited for in vain. */
  readonly isSilence: boolean;
  constructor(
    message: string,
    { isFinal = false, isSilence = false, cause }: { isFinal?: boolean; isSilence?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.name = 'DeliveryError';
    this.isFinal = isFinal;
    this.isSilence = isSilence;
  }
}
