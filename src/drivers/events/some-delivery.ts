import type { Delivery } from '../../core/events/event-sender.ts';

/** For tests: the delivery of an event of which only the id matters. */
export function someDelivery(
  settings: Delivery['settings'],
  id = '11111111-1111-8111-8111-111111111111',
  changes: Partial<Delivery> = {},
): Delivery {
  return {
    settings,
    attempt: 1,
    signal: new AbortController().signal,
    event: {
      version: '0',
      id,
      'detail-type': 'ECR Image Action',
      source: 'aws.ecr',
      account: '111122223333',
      time: '2026-03-01T00:00:00Z',
      region: 'eu-west-1',
      resources: [],
      detail: { result: 'SUCCESS', 'repository-name': 'one', 'action-type': 'PUSH' },
    },
    ...changes,
  };
}
