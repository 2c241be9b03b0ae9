import { ConfigError } from '../config/settings-reader.ts';
import { isQuotaName, QUOTA_DEFAULTS, type QuotaLimits } from '../core/quotas/quotas.ts';

/** ECR's limits with those that the operator set in their place. Throws ConfigError for a name that no quota has. */
export function quotaLimitsOf(given: ReadonlyMap<string, number>): QuotaLimits {
  const limits: Record<string, number> = { ...QUOTA_DEFAULTS };
  for (const [name, limit] of given) {
    if (!isQuotaName(name)) {
      const names = Object.keys(QUOTA_DEFAULTS).join(', ');
      throw new ConfigError(`--quota (GANTRY_QUOTAS) names '${name}', which is no quota; there are ${names}`);
    }
    limits[name] = limit;
  }
  return limits as unknown as QuotaLimits;
}
