import type { Registry } from '../values/registry.ts';

/** What a registry was told about itself; what it was not told has a default. */
export interface AccountSettingReads {
  find(registry: Registry, name: string): Promise<string | undefined>;
}

export interface AccountSettingRecords extends AccountSettingReads {
  /** Adds, or replaces the value of that name. */
  put(registry: Registry, name: string, value: string): Promise<void>;
}
