import type { RegistryScanningConfiguration, ScanningRepositoryFilter } from '@aws-sdk/client-ecr';
import type { RegistryScanning } from '../../../core/scanning/scan-records.ts';

export function scanningView({ scanType, rules }: RegistryScanning): RegistryScanningConfiguration {
  return {
    scanType,
    rules: rules.map(({ frequency, filters }) => ({
      scanFrequency: frequency,
      repositoryFilters: filters.map(filterView),
    })),
  };
}

export function filterView(filter: string): ScanningRepositoryFilter {
  return { filter, filterType: 'WILDCARD' };
}
