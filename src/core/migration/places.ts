import type { ImageSource, ImageTarget } from '../transfer/transfer.ts';
import type { Cancellation } from '../upstreams/upstream.ts';
import type { SettingsPlace } from './settings-place.ts';

/** Where images are taken from: this server's folder, a registry elsewhere, files. */
export interface MigrationSource extends AsyncDisposable {
  /** As messages call it. */
  readonly name: string;
  /** All it tells of; a registry that lists none, or refuses to, has to be given names. */
  repositories(options?: Cancellation): AsyncIterable<string>;
  /** What a repository has: tags first, then what has no tag, as far as it tells. */
  images(repositoryName: string, options?: Cancellation): AsyncIterable<MigrationImage>;
  repository(repositoryName: string): ImageSource;
  /** Absent where there is nothing but images. */
  readonly settings?: SettingsPlace;
}

export interface MigrationImage {
  /** The tag, else the digest. */
  readonly reference: string;
  readonly tag?: string;
}

/** Where images are taken to. */
export interface MigrationTarget extends AsyncDisposable {
  readonly name: string;
  /** Nothing is made by this; a repository that is not there has no images. */
  repository(repositoryName: string): ImageTarget;
  /** Sees to it that the repository is there, before the first image comes. */
  prepare(repositoryName: string, options?: Cancellation): Promise<void>;
  readonly settings?: SettingsPlace;
  /** Makes whole what was written, also when not everything came. */
  finish?(): Promise<void>;
}
