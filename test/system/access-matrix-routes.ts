import { digestOf } from '../support/images.ts';

export interface RouteRow {
  readonly method: string;
  /** Below /v2/, with `NAME` for the repository. */
  readonly path: string;
  /** What the permission is asked for on; policies of repositories count for those alone. */
  readonly on: 'repository' | 'registry' | 'nothing';
  readonly body?: string;
}

const content = 'some bytes';
const digest = digestOf(content);
const upload = 'NAME/blobs/uploads/00000000-0000-4000-8000-000000000000';

/** Every path under /v2/ with every method that it takes, and the forms of a method that do something else. */
export const ROUTE_ROWS: readonly RouteRow[] = [
  { method: 'GET', path: '', on: 'nothing' },
  { method: 'HEAD', path: '', on: 'nothing' },
  { method: 'GET', path: '_catalog', on: 'registry' },
  { method: 'GET', path: 'NAME/tags/list', on: 'repository' },
  { method: 'GET', path: 'NAME/manifests/kept', on: 'repository' },
  { method: 'HEAD', path: 'NAME/manifests/kept', on: 'repository' },
  { method: 'PUT', path: 'NAME/manifests/kept', on: 'repository', body: '{}' },
  { method: 'DELETE', path: 'NAME/manifests/kept', on: 'repository' },
  { method: 'GET', path: `NAME/referrers/${digest}`, on: 'repository' },
  { method: 'GET', path: `NAME/blobs/${digest}`, on: 'repository' },
  { method: 'HEAD', path: `NAME/blobs/${digest}`, on: 'repository' },
  { method: 'DELETE', path: `NAME/blobs/${digest}`, on: 'repository' },
  { method: 'POST', path: 'NAME/blobs/uploads/', on: 'repository' },
  { method: 'POST', path: `NAME/blobs/uploads/?digest=${digest}`, on: 'repository', body: content },
  { method: 'POST', path: `NAME/blobs/uploads/?mount=${digest}&from=matrix/victim`, on: 'repository' },
  { method: 'GET', path: upload, on: 'repository' },
  { method: 'HEAD', path: upload, on: 'repository' },
  { method: 'PATCH', path: upload, on: 'repository', body: content },
  { method: 'PUT', path: `${upload}?digest=${digest}`, on: 'repository', body: content },
  { method: 'DELETE', path: upload, on: 'repository' },
];
